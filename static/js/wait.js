// Pages that wait. One with data-again looks there again by itself. The one of a flash sale counts to the server's hour, not the phone's,
// and when the hour comes it goes in by itself, a moment later than others by chance, so that thirty thousand do not arrive in one
// breath. Without this file: a time and a link.

const JITTER_SECONDS = 3;
const HOURS_COUNTED = 24; // before that the date says it better
const AGAIN_SECONDS = [20, 40];

const page = document.querySelector("[data-begins], [data-again]");
page?.querySelector("[data-patience]")?.removeAttribute("hidden");
if (page?.dataset.again) {
  const [least, most] = AGAIN_SECONDS;
  const seconds = Number(page.dataset.seconds) || least + Math.random() * (most - least);
  setTimeout(() => location.replace(page.dataset.again), 1000 * seconds);
} else if (page) {
  wait(page);
}

async function wait(sale) {
  const ahead = await measure();
  const shown = sale.querySelector("[data-left]");
  const begins = Date.parse(sale.dataset.begins);
  let timer = 0;
  const tick = () => {
    const left = Math.ceil((begins - (performance.now() + ahead)) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      shown.hidden = true;
      setTimeout(() => location.assign(sale.dataset.enter), 1000 * JITTER_SECONDS * Math.random());
      return;
    }
    shown.textContent = clock(left);
    shown.hidden = left > HOURS_COUNTED * 3600;
  };
  timer = setInterval(tick, 500);
  tick();
}

/** What to add to this page's stopwatch to get the server's time: asked once, of an answer that costs it nothing. */
async function measure() {
  const asked = performance.now();
  try {
    const answer = await fetch(import.meta.url, { method: "HEAD", cache: "no-store", credentials: "omit" });
    const at = Date.parse(answer.headers.get("date") ?? "");
    const kept = 1000 * Number(answer.headers.get("age") ?? 0); // by whoever stands between
    if (Number.isFinite(at)) return at + kept + 500 - (asked + performance.now()) / 2;
  } catch {
    // no network: the phone's own clock until the next try by hand
  }
  return Date.now() - performance.now();
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
