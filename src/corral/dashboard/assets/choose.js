// Choosing jobs in a list: all at once, and how many that are.
const boxes = () => [...document.querySelectorAll("[data-choose] input[name=id]")];

export function tellChosen() {
  const bar = document.querySelector("[data-choose-bar]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  bar.querySelector("[data-chosen]").textContent = chosen ? `${chosen} chosen:` : "Choose jobs:";
  for (const button of bar.querySelectorAll("button")) button.disabled = !chosen;
}

export function choose() {
  document.addEventListener("change", (event) => {
    if (!event.target.closest("[data-choose]")) return;
    if (event.target.hasAttribute("data-choose-all")) for (const box of boxes()) box.checked = event.target.checked;
    tellChosen();
  });
}
