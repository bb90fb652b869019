// On every page: no form is sent twice, a lost network is said in words, a swapped part is brought into view.
// Pages work without any of this.

document.documentElement.classList.add("with-script");

/** A form marked data-once is sent once; data-confirm asks first. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent || (form.dataset.confirm && !window.confirm(form.dataset.confirm))) {
    event.preventDefault();
    return;
  }
  if ("once" in form.dataset) {
    form.dataset.sent = "1";
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    setTimeout(() => button?.setAttribute("aria-disabled", "true"));
  }
});

/** A page that comes back from the browser's memory may send its forms again. */
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
  });
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

const trouble = document.getElementById("trouble");
document.addEventListener("htmx:error", () => { trouble.hidden = false; trouble.scrollIntoView({ block: "nearest" }); });
document.addEventListener("htmx:after:request", () => { trouble.hidden = true; });

/** What a swapped part brings along for elsewhere on the page, such as the sign of the basket. */
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("template[data-replaces]").forEach((part) => {
    document.querySelector(part.dataset.replaces)?.replaceWith(part.content.cloneNode(true));
    part.remove();
  });
});

/** After a swap the eye and the keyboard go to what changed, except while typing, for the card's code and for what is data-quiet. */
document.addEventListener("htmx:after:swap", (event) => {
  const id = event.detail?.ctx?.target?.id;
  const part = id && id !== "code" && document.getElementById(id);
  if (!part || "quiet" in part.dataset || document.activeElement?.matches("input[type=search]")) return;
  part.setAttribute("tabindex", "-1");
  part.focus({ preventScroll: true });
  part.scrollIntoView({ block: "nearest" });
});
