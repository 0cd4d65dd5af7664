"""The little script of a page: the filter box. The page is whole without it."""

SCRIPT = """
(() => {
  const fold = (text) => text.normalize("NFKC").toLowerCase();
  const box = document.getElementById("filter"), found = document.getElementById("found");
  const rows = [...document.querySelectorAll("tbody tr")].map((row) => [row, fold(row.textContent)]);
  const parts = [...document.querySelectorAll(".part")];
  document.getElementById("bar").hidden = false;
  const filter = () => {
    const words = fold(box.value).split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    for (const part of parts) part.hidden = words.length > 0 && !part.querySelector("tbody tr:not([hidden])");
    for (const link of document.querySelectorAll("nav a")) {
      link.parentElement.hidden = Boolean(document.getElementById(link.hash.slice(1))?.closest("[hidden]"));
    }
    found.textContent = words.length ? `${count}行が該当（全${rows.length}行）` : "";
  };
  box.addEventListener("input", filter);
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest("[hidden]")) return;
    box.value = "";
    filter();
    target.scrollIntoView();
  });
  addEventListener("beforeprint", () => document.body.classList.toggle("filtered", box.value.trim() !== ""));
  const reach = () => {
    for (const wide of document.querySelectorAll(".wide")) {
      wide.toggleAttribute("tabindex", false);
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    }
  };
  addEventListener("resize", reach);
  reach();
})();
"""
"""Filters rows by words, whatever their width and case, and makes tables that scroll sideways reachable by keyboard."""
