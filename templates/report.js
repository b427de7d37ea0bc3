"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  // What only works with this script is hidden without it.
  all(".tools, .copy, #outputs").forEach((element) => { element.hidden = false; });

  const swap = (button) => { for (const part of button.children) part.hidden = !part.hidden; };

  const languages = all("[data-language]");
  languages.forEach((button) => button.addEventListener("click", () => {
    root.lang = button.dataset.language;
    languages.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  }));

  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const outputs = document.getElementById("outputs");
  outputs?.addEventListener("click", () => {
    const open = outputs.getAttribute("aria-pressed") !== "true";
    outputs.setAttribute("aria-pressed", String(open));
    all("details.output").forEach((details) => { details.open = open; });
    swap(outputs);
  });

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // not allowed, or not there
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  all(".copy").forEach((button) => button.addEventListener("click", async () => {
    if (button.classList.contains("done")) return;
    await copy(button.parentElement.querySelector("code").textContent);
    button.focus();
    button.classList.add("done");
    swap(button);
    setTimeout(() => { button.classList.remove("done"); swap(button); }, 1500);
  }));
})();
