// Picks every ticket of a page at once.
"use strict";
for (const button of document.querySelectorAll("button[data-pick-all]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll("input[name=ticket]")];
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
}
