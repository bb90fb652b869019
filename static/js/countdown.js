// A ring and a number that run out: the card's code (fetched anew through htmx) and the till's visit.
// The phone's clock may be minutes off, so time is counted from the server's "now", with the page's own stopwatch.

const starts = new WeakMap();

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const { issued, expires, now, over } = element.dataset;
    if (!starts.has(element)) starts.set(element, performance.now());
    const left = Date.parse(expires) - Date.parse(now) - (performance.now() - starts.get(element));
    const whole = Math.max(1, Date.parse(expires) - Date.parse(issued));
    const seconds = Math.max(0, Math.ceil(left / 1000));
    const shown = element.querySelector("[data-left]");
    const text = shown?.dataset.left === "clock" ? clock(seconds) : String(seconds);
    if (shown && shown.textContent !== text) shown.textContent = text;
    element.querySelector(".ring-left")?.setAttribute("stroke-dashoffset", String(100 - Math.max(0, Math.min(100, (left / whole) * 100))));
    element.classList.toggle("is-late", left < Math.min(15000, whole / 4));
    if (left <= 0) finish(element, over);
  }
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function finish(element, over) {
  if (element.dataset.over !== undefined) {
    if (!element.dataset.told) { element.dataset.told = "1"; element.textContent = over; element.setAttribute("role", "alert"); }
    return;
  }
  if (document.hidden || element.dataset.asked > Date.now() - 5000) return;
  element.dataset.asked = String(Date.now());
  element.dispatchEvent(new CustomEvent("renew"));
}

let timer = null;
function run() {
  clearInterval(timer);
  timer = null;
  if (document.hidden) return; // a page nobody sees asks for no codes
  tick();
  timer = setInterval(tick, 1000);
}
document.addEventListener("visibilitychange", run);
document.addEventListener("htmx:after:swap", tick);
run();
