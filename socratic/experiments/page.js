// Filters of the items. The page is whole without it; it only hides and shows.
"use strict";
(() => {
  const bar = document.getElementById("filters");
  if (!bar) return;
  const cards = [...document.querySelectorAll("article.card")];
  const pick = (name) => bar.querySelector(`[name=${name}]`);
  const [side, change, failed, text] = ["side", "change", "failed", "text"].map(pick);
  const count = bar.querySelector("output");
  const names = cards.map((card) => card.textContent.toLowerCase());

  function fits(card, words) {
    const tags = card.dataset.tags.split(" ").filter(Boolean);
    const own = side.value === "" ? tags : tags.filter((tag) => tag.split(":")[0] === side.value);
    const kinds = new Set(own.map((tag) => tag.split(":")[1]));
    const wanted = change.value === "" || kinds.has(change.value) ||
      (change.value === "changed" && (kinds.has("better") || kinds.has("worse")));
    const broken = !failed.checked || tags.some((tag) => tag.endsWith(":error"));
    return wanted && broken && words;
  }

  function apply() {
    const query = text.value.trim().toLowerCase();
    let shown = 0;
    cards.forEach((card, n) => {
      const fit = fits(card, names[n].includes(query));
      card.hidden = !fit;
      shown += fit ? 1 : 0;
      const against = side.value === "" ? "" : card.querySelector(`[data-side="${side.value}"]`)?.dataset.against ?? "";
      card.querySelectorAll("[data-side]").forEach((column) => {
        column.hidden = side.value !== "" && column.dataset.side !== side.value && column.dataset.side !== against;
      });
    });
    count.textContent = `${shown} of ${cards.length} shown`;
  }

  bar.hidden = false;
  bar.addEventListener("input", apply);
  bar.addEventListener("submit", (event) => event.preventDefault());
  apply();
})();
