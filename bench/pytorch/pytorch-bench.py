#!/usr/bin/env python3
"""PyTorch's times on the shapes of the bench suite, as the same JSON lines (bench/result-line.ts), for comparison on one GPU.

    python3 pytorch-bench.py [--out FILE] [--only TEXT] [--device cuda|cpu] [--repeats 9] [--cases FILE]

Engines: "pytorch f32" (TF32 off), "pytorch tf32", "pytorch f16" (operands, and accumulation as PyTorch does it). Eager mode; no compilation.
Every product and convolution is checked against float64 before it is timed. A time goes from the call to the end of the work on the device.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import statistics
import sys
import time

CASES_BESIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.txt")


def main():
    options = parse_arguments()
    try:
        import torch
    except ImportError:
        sys.exit("pytorch-bench: python3 has no PyTorch (module torch); install it, or use the python3 that has it")
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("pytorch-bench: PyTorch sees no CUDA device; for its times on the processor say --device cpu")
    bench = Bench(torch, options)
    lines = []
    for name in read_cases(options.cases):
        if options.only and options.only not in name:
            continue
        for engine in engines(options.device):
            line = bench.line(name, engine)
            if line is not None:
                lines.append(line)
                print(summary(line), file=sys.stderr, flush=True)
    write_lines(options.out, lines)
    if any(line.get("failed") for line in lines):
        sys.exit(1)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="-", help="file for the lines; default: standard output")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--repeats", type=int, default=9, help="times of a case; default: 9")
    parser.add_argument("--cases", default=CASES_BESIDE, help="names of cases, one a line; default: cases.txt beside this script")
    return parser.parse_args()


def read_cases(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except OSError as error:
        sys.exit(f"pytorch-bench: cannot read the names of cases: {error}; make them with: bench --list > {path}")


def write_lines(path, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if path == "-":
        sys.stdout.write(text)
        return
    partial = path + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(partial, path)


def engines(device):
    return ["pytorch f32", "pytorch tf32", "pytorch f16"] if device == "cuda" else ["pytorch f32"]


def summary(line):
    if "error" in line:
        return f"{line['case']:56} {line['engine']:14} {line['error']}"
    rate = f"{line['gflops']:10.1f} GFLOP/s" if "gflops" in line else ""
    return f"{line['case']:56} {line['engine']:14} {line['minMs']:9.3f} ms {rate}"


class Bench:
    """Runs cases by name."""

    def __init__(self, torch, options):
        self.torch = torch
        self.device = torch.device(options.device)
        self.cuda = options.device == "cuda"
        self.repeats = options.repeats
        torch.manual_seed(1)
        self.surroundings = {
            "adapter": torch.cuda.get_device_name() if self.cuda else platform.processor() or platform.machine(),
            "driver": f"CUDA {torch.version.cuda}" if self.cuda else "PyTorch on the processor",
            "software": not self.cuda,
            "platform": f"python {platform.python_version()}",
            "versions": {"torch": torch.__version__},
        }

    def line(self, name, engine):
        """The result line of a case, or None where this script has no such case."""
        for pattern, make in MAKERS:
            match = re.fullmatch(pattern, name)
            if match:
                break
        else:
            return None
        line = {"case": name, "engine": engine, "wait": "own", **self.surroundings}
        tf32 = engine == "pytorch tf32"
        self.torch.backends.cuda.matmul.allow_tf32 = tf32
        self.torch.backends.cudnn.allow_tf32 = tf32
        self.dtype = self.torch.float16 if engine == "pytorch f16" else self.torch.float32
        try:
            case = make(self, *match.groups())
            if case is None:
                return None
            run, flop, check = case
            first = self.time(run)
            wrong = check() if check else None
            if wrong:
                return {**line, "error": wrong, "failed": True}
            self.time(run)
            times = sorted(self.time(run) for _ in range(self.repeats))
        except RuntimeError as error:  # out of memory, or not implemented in this precision
            return {**line, "error": str(error).strip().split("\n")[0]}
        finally:
            if self.cuda:
                self.torch.cuda.empty_cache()
        quartile = lambda share: times[int(share * (len(times) - 1))]
        median = statistics.median(times)
        line.update(repeats=len(times), medianMs=median, minMs=times[0], firstMs=first)
        line["spread"] = (quartile(0.75) - quartile(0.25)) / median
        if flop:
            line["gflops"] = flop / times[0] / 1e6
        return line

    def time(self, run):
        """Milliseconds of one run, from the call to the end of its work."""
        self.synchronize()
        start = time.perf_counter()
        run()
        self.synchronize()
        return 1000 * (time.perf_counter() - start)

    def synchronize(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def random(self, *shape):
        """Uniform in [-1, 1), in the precision of the engine."""
        values = self.torch.rand(*shape, device=self.device) * 2 - 1
        return values.to(self.dtype)

    def compare(self, result, reference, terms, slack=1):
        """What is wrong with sums of `terms` products of numbers in [-1, 1], or None. Operands are those of the reference."""
        # f32 accumulation in any order: a rounding a term, each of a partial sum that stays well below 4 sqrt(terms)
        bound = slack * 4 * 2**-24 * terms
        if self.torch.backends.cuda.matmul.allow_tf32:
            bound += 8 * 2**-11 * terms**0.5  # operands keep 10 bits of mantissa; their errors add like a random walk
        if result.dtype == self.torch.float16:
            bound += 4 * 2**-11 * float(reference.abs().max())  # stored in f16, and split sums may be added in it
        worst = float((result.double() - reference).abs().max())
        return None if worst <= bound else f"off by {worst:.3g}, at most {bound:.3g} expected"


def matmul(bench, layout, epilogue, m, n, k):
    m, n, k = int(m), int(n), int(k)
    a = bench.random(k, m) if layout == "TN" else bench.random(m, k)
    b = bench.random(n, k) if layout == "NT" else bench.random(k, n)
    left, right = (a.t() if layout == "TN" else a), (b.t() if layout == "NT" else b)
    torch = bench.torch
    bias = bench.random(n) if "bias" in epilogue else None
    result = {}

    def run():
        output = left @ right if bias is None else torch.addmm(bias, left, right)
        result["value"] = torch.relu_(output) if "relu" in epilogue else output

    def check():
        rows = slice(0, min(m, 64))
        reference = left[rows].double() @ right.double()
        if bias is not None:
            reference = reference + bias.double()
        if "relu" in epilogue:
            reference = reference.clamp(min=0)
        return bench.compare(result["value"][rows], reference, k)

    return run, 2 * m * n * k, check


def conv(bench, kind, n, c, h, w, out, kh, kw, stride, padding):
    n, c, h, w, out, kh, kw, stride, padding = map(int, (n, c, h, w, out, kh, kw, stride, padding))
    torch = bench.torch
    x, weight = bench.random(n, c, h, w), bench.random(out, c, kh, kw)
    functional = torch.nn.functional
    y = functional.conv2d(x, weight, stride=stride, padding=padding)
    flop = 2 * y.numel() * c * kh * kw
    slack = 10  # cuDNN may take Winograd or Fourier transforms, whose rounding errors are some ten times larger
    result = {}
    if kind == "forward":

        def run():
            result["value"] = functional.conv2d(x, weight, stride=stride, padding=padding)

        def check():
            reference = functional.conv2d(x[:1].double(), weight.double(), stride=stride, padding=padding)
            return bench.compare(result["value"][:1], reference, c * kh * kw, slack)

        return run, flop, check
    wanted = {"input-gradient": (True, False), "weight-gradient": (False, True), "backward": (True, True)}[kind]
    dy = bench.random(*y.shape)

    def gradients(dy, x, weight):
        return torch.ops.aten.convolution_backward(
            dy, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [*wanted, False]
        )

    def run():
        result["value"] = gradients(dy, x, weight)

    def check():
        reference = gradients(dy.double(), x.double(), weight.double())
        terms = {0: out * kh * kw, 1: y.shape[0] * y.shape[2] * y.shape[3]}
        for index, there in enumerate(wanted):
            wrong = there and bench.compare(result["value"][index], reference[index], terms[index], slack)
            if wrong:
                return wrong
        return None

    return run, flop * sum(wanted), check


def batch_norm(bench, kind, n, c, h, w):
    torch = bench.torch
    x = bench.random(int(n), int(c), int(h), int(w))
    if kind == "statistics":
        return (lambda: torch.var_mean(x, dim=(0, 2, 3), unbiased=False)), None, None
    layer = torch.nn.BatchNorm2d(int(c)).to(bench.device, bench.dtype)
    if kind == "forward":
        return (lambda: layer(x)), None, None
    x.requires_grad_()
    dy = bench.random(*x.shape)
    wanted = [x, layer.weight, layer.bias]
    # not backward(), which would add to the gradients of the repeat before
    return (lambda: torch.autograd.grad(layer(x), wanted, dy)), None, None


def softmax(bench, kind, rows, classes):
    x = bench.random(int(rows), int(classes))
    function = {"rows": bench.torch.softmax, "log": bench.torch.log_softmax}[kind]
    return (lambda: function(x, dim=1)), None, None


def optimizer(bench, kind, count):
    if bench.dtype != bench.torch.float32:
        return None
    parameter = bench.torch.nn.Parameter(bench.random(int(count)))
    parameter.grad = bench.random(int(count))
    if kind == "sgd":
        made = bench.torch.optim.SGD([parameter], lr=0.01, momentum=0.9, weight_decay=5e-4)
    else:
        made = bench.torch.optim.Adam([parameter], lr=1e-3)
    return made.step, None, None


def training(bench, network, batch):
    """One step: batch gathered, forward, cross-entropy, backward, SGD with momentum; in mixed precision for f16."""
    torch = bench.torch
    batch = int(batch)
    half = bench.dtype == torch.float16
    if network.startswith("mlp-"):
        sizes = [int(size) for size in network[4:].split("-")]
        images = torch.rand(batch, sizes[0], device=bench.device)
        model = mlp(torch, sizes)
    else:
        images = torch.rand(batch, 3, 32, 32, device=bench.device)
        model = resnet20(torch)
    model = model.to(bench.device)
    labels = torch.randint(0, 10, (batch,), device=bench.device)
    order = torch.arange(batch, device=bench.device)
    step = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def run():
        step.zero_grad(set_to_none=True)
        x, y = images.index_select(0, order), labels.index_select(0, order)
        with torch.autocast(bench.device.type, torch.float16) if half else contextlib.nullcontext():
            loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        step.step()

    return run, None, None


def sweep(bench, network, images, points):
    """Losses and logits at points of the line between two networks."""
    torch = bench.torch
    if bench.dtype != torch.float32:
        return None
    images, points = int(images), int(points)
    if network.startswith("mlp-"):
        sizes = [int(size) for size in network[4:].split("-")]
        make, x = (lambda: mlp(torch, sizes)), torch.rand(images, sizes[0], device=bench.device)
    else:
        make, x = (lambda: resnet20(torch)), torch.rand(images, 3, 32, 32, device=bench.device)
    first, second, between = (make().to(bench.device).eval() for _ in range(3))
    # parameters and running statistics, not batch norm's counters of batches
    entries = [[t for t in model.state_dict().values() if t.is_floating_point()] for model in (between, first, second)]
    labels = torch.randint(0, 10, (images,), device=bench.device)

    @torch.no_grad()
    def run():
        losses = []
        for point in range(points):
            share = point / (points - 1)
            for target, a, b in zip(*entries):
                torch.lerp(a, b, share, out=target)
            losses.append(torch.nn.functional.cross_entropy(between(x), labels))
        return torch.stack(losses).tolist()

    return run, None, None


def mlp(torch, sizes):
    layers = []
    for index in range(len(sizes) - 1):
        layers.append(torch.nn.Linear(sizes[index], sizes[index + 1]))
        if index < len(sizes) - 2:
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


def resnet20(torch):
    """ResNet20 for CIFAR (He et al. 2016) with batch norm; shortcuts are 1x1 convolutions with batch norm, as in this library's `resnet20`."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = (
                nn.Identity()
                if stride == 1 and inputs == outputs
                else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            )

        def forward(self, x):
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + self.shortcut(x))

    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for stage, outputs in enumerate((16, 32, 64)):
        for index in range(3):
            layers.append(Block(inputs, outputs, 2 if stage > 0 and index == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NUMBER = r"(\d+)"
MAKERS = [
    (rf"matmul/(NN|NT|TN)((?:\+\w+)*)/{NUMBER}x{NUMBER}x{NUMBER}", matmul),
    (
        rf"conv/(forward|input-gradient|weight-gradient|backward)/{NUMBER}x{NUMBER}x{NUMBER}x{NUMBER}"
        rf"-to-{NUMBER}-{NUMBER}x{NUMBER}-s{NUMBER}-p{NUMBER}",
        conv,
    ),
    (rf"norm/(statistics|forward|forward\+backward)/{NUMBER}x{NUMBER}x{NUMBER}x{NUMBER}", batch_norm),
    (rf"softmax/(rows|log)/{NUMBER}x{NUMBER}", softmax),
    (rf"optimizer/(sgd|adam)/{NUMBER}", optimizer),
    (rf"training/(mlp-[\d-]+|resnet20)/batch{NUMBER}", training),
    (rf"sweep/(mlp-[\d-]+|resnet20)/{NUMBER}x{NUMBER}", sweep),
]

if __name__ == "__main__":
    main()
