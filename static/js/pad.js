// The till's own keys: large, always in the same place, and the phone's keyboard stays away.
// Without this file the fields are ordinary ones with a number keyboard.

let field = null;

function dress() {
  for (const pad of document.querySelectorAll("[data-pad-keys][hidden]")) {
    const fields = pad.closest("form").querySelectorAll("[data-pad]");
    fields.forEach((each) => { each.inputMode = "none"; });
    pad.hidden = false;
    field = fields[0];
    field?.focus();
  }
  document.querySelectorAll("[data-step][hidden]").forEach((key) => { key.hidden = false; });
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-pad]")) field = event.target;
});

document.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".key")) event.preventDefault(); // the field keeps its focus
});

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key && field?.isConnected) press(field, key.dataset.key);
  const step = event.target.closest("[data-step]");
  if (step) {
    const input = document.getElementById(step.dataset.for);
    const wanted = (Number.parseInt(input.value, 10) || 0) + Number(step.dataset.step);
    input.value = String(Math.max(Number(input.min), Math.min(Number(input.max), wanted)));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

document.addEventListener("input", (event) => {
  if (event.target.dataset.pad === "code") event.target.value = grouped(event.target.value);
});

/** One key into a field: digits, one point with two places behind it, or one step back. */
function press(target, key) {
  if (target.dataset.pad === "code") {
    const digits = target.value.replaceAll(" ", "");
    target.value = grouped(key === "back" ? digits.slice(0, -1) : digits + key);
    return;
  }
  const next = key === "back" ? target.value.slice(0, -1) : target.value + (key === "." && target.value === "" ? "0." : key);
  if (/^\d{0,7}(\.\d{0,2})?$/.test(next)) target.value = next.replace(/^0+(?=\d)/, "");
}

function grouped(text) {
  return text.replace(/\D/g, "").slice(0, 8).replace(/(\d{4})(?=\d)/, "$1 ");
}

document.addEventListener("htmx:after:swap", dress);
dress();
