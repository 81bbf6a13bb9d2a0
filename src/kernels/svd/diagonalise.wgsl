// One sweep of Jacobi rotations on the 8 x 8 matrix of dot products of 8 rows, one element after another: for the variants in which an
// invocation has 8 rows to itself. Appended to them.
//
// g: dot products of the rows, [8, 8]; x: what the rotations do to the rows, [8, 8], the unit matrix at first. Seven steps of four
// disjoint pairs: in each, the angles of all four from g, then rows p, q of g and of x, then columns p, q of g.

fn diagonalise(g: ptr<function, array<f32, 64>>, x: ptr<function, array<f32, 64>>) {
  var parts: array<vec2f, 8>;
  for (var step = 0u; step < 7u; step++) {
    for (var p = 0u; p < 8u; p++) {
      let q = partner_of(step, p);
      if (p < q) {
        let turn = rotation((*g)[9u * p], (*g)[9u * q], (*g)[8u * p + q]);
        parts[p] = share(turn, true);
        parts[q] = share(turn, false);
      }
    }
    for (var p = 0u; p < 8u; p++) {
      let q = partner_of(step, p);
      if (p < q) {
        for (var j = 0u; j < 8u; j++) {
          let a = (*g)[8u * p + j];
          let b = (*g)[8u * q + j];
          (*g)[8u * p + j] = turned(parts[p], a, b);
          (*g)[8u * q + j] = turned(parts[q], b, a);
          let c = (*x)[8u * p + j];
          let d = (*x)[8u * q + j];
          (*x)[8u * p + j] = turned(parts[p], c, d);
          (*x)[8u * q + j] = turned(parts[q], d, c);
        }
      }
    }
    for (var p = 0u; p < 8u; p++) {
      let q = partner_of(step, p);
      if (p < q) {
        for (var i = 0u; i < 8u; i++) {
          let a = (*g)[8u * i + p];
          let b = (*g)[8u * i + q];
          (*g)[8u * i + p] = turned(parts[p], a, b);
          (*g)[8u * i + q] = turned(parts[q], b, a);
        }
      }
    }
  }
}

fn unit_matrix() -> array<f32, 64> {
  var x: array<f32, 64>;
  for (var i = 0u; i < 8u; i++) {
    x[9u * i] = 1.0;
  }
  return x;
}

fn largest_cosine(g: ptr<function, array<f32, 64>>) -> f32 {
  var largest = 0.0;
  for (var p = 0u; p < 7u; p++) {
    for (var q = p + 1u; q < 8u; q++) {
      largest = max(largest, cosine((*g)[9u * p], (*g)[9u * q], (*g)[8u * p + q]));
    }
  }
  return largest;
}
