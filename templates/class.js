"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  all(".tools").forEach((element) => { element.hidden = false; }); // they only work with this script

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
})();
