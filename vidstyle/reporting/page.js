"use strict";
(() => {
  const compare = document.querySelector(".compare");
  if (compare) {
    const before = compare.querySelector(".before");
    const after = compare.querySelector(".after");
    const range = compare.querySelector("input");
    const caption = document.querySelector(".caption");
    const buttons = [...document.querySelectorAll(".sheet button")];
    const move = () => compare.style.setProperty("--cut-at", range.value + "%");
    const show = (button) => {
      const painted = button.querySelector("img");
      after.src = painted.src;
      after.alt = painted.alt;
      if (button.dataset.before) before.src = button.dataset.before;
      compare.style.setProperty("--shape", painted.getAttribute("width") / painted.getAttribute("height"));
      caption.textContent = [...button.querySelectorAll("span")].map((word) => word.textContent).join(" \u00b7 ");
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
    };
    for (const button of buttons) button.addEventListener("click", () => show(button));
    range.addEventListener("input", move);
    show(buttons[Math.floor(buttons.length / 2)]);
    move();
    compare.hidden = false;
    caption.hidden = document.querySelector(".sheet").hidden = buttons.length === 1;
  }
  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
      button.textContent = "Copied";
    });
  }
})();
