// A page that stays responsive: files go to a worker, progress and the aligned checkpoint come back. npx vite build
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const status = document.getElementById('status');

document.getElementById('files').addEventListener('change', ({ target }) => {
  const files = [...target.files];
  if (files.length === 2)
    worker.postMessage({ type: 'align', files }); // a File is handed over, not copied
  else status.textContent = `Choose two files, not ${files.length}.`;
});
document.getElementById('cancel').addEventListener('click', () => worker.postMessage({ type: 'cancel' }));

worker.addEventListener('message', ({ data }) => {
  if (data.type === 'aligned') {
    const { before, after } = data.distance;
    status.textContent = `${data.model}: distance ${before.toFixed(2)} -> ${after.toFixed(2)}, ${data.bytes.length} bytes`;
  } else status.textContent = data.message; // progress, or what went wrong
});
