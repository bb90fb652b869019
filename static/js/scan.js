// Reads the member's QR with the camera and sends it like a typed code.
// Order: the browser's own BarcodeDetector, else the vendored one with its wasm from our origin; a phone that can do
// neither keeps the photo upload and the typed code below, which need no script.

const form = document.querySelector("[data-scan]");
const video = form.querySelector("video");
const status = form.querySelector("[role=status]");
const say = (name) => { status.textContent = form.dataset[name]; };

async function detector() {
  if ("BarcodeDetector" in window) {
    const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.includes("qr_code")) return new window.BarcodeDetector({ formats: ["qr_code"] });
  }
  const engine = await import(form.dataset.engine);
  engine.prepareZXingModule({ overrides: { locateFile: () => form.dataset.wasm } });
  return new engine.BarcodeDetector({ formats: ["qr_code"] });
}

async function start() {
  form.hidden = false;
  if (!navigator.mediaDevices?.getUserMedia) return fail("none");
  say("starting");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    return fail(error.name === "NotAllowedError" ? "denied" : "none");
  }
  video.srcObject = stream;
  await video.play();
  let reader;
  try { reader = await detector(); } catch { stop(stream); return fail("none"); }
  say("looking");
  while (stream.active) {
    const [found] = document.hidden ? [] : await reader.detect(video).catch(() => []);
    if (found?.rawValue) return send(found.rawValue, stream);
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
}

function send(text, stream) {
  stop(stream);
  say("found");
  form.classList.add("is-found");
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(60); // without a tap before it, browsers complain
  form.elements.code.value = text;
  form.submit();
}

function stop(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

function fail(name) {
  form.querySelector(".scan-view").hidden = true;
  say(name);
}

window.addEventListener("pagehide", () => { if (video.srcObject) stop(video.srcObject); });
start();
