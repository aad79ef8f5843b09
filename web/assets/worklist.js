"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const films = [...document.querySelectorAll("a.film")];
  const at = films.indexOf(document.activeElement);
  if (event.key === "j" || event.key === "k") {
    const to = at < 0 ? 0 : Math.min(films.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)));
    if (films[to]) films[to].focus();
  } else if (event.key === "n") {
    const more = document.getElementById("more");
    if (more) more.click();
  }
});
