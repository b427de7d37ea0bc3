// Returns what an automatic audit would complain of: things without a name, an id twice, headings out of order.
(() => {
  const label = (e) => document.getElementById(e.getAttribute("aria-labelledby") || "");
  const named = (e) => (e.innerText || "").trim() || (label(e) || {}).innerText;
  const faults = [];
  for (const e of document.querySelectorAll("a, button, summary, [role=group], [role=img]"))
    if (e.getClientRects().length && !named(e)) faults.push(e.outerHTML.slice(0, 80));
  for (const e of document.querySelectorAll("svg"))
    if (e.getAttribute("aria-hidden") !== "true" && e.getAttribute("role") !== "img") faults.push("svg");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) faults.push("an id twice");
  const levels = [...document.querySelectorAll("h1, h2, h3")].filter((e) => e.getClientRects().length).map((e) => +e.tagName[1]);
  levels.forEach((level, index) => { if (level - (levels[index - 1] || 0) > 1) faults.push(`h${level} at ${index}`); });
  if (levels.filter((level) => level === 1).length !== 1) faults.push("not one h1");
  return faults;
})()
