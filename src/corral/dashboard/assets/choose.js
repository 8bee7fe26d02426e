// Choosing jobs in a list: all at once, and how many that are.
export function choose() {
  const table = document.querySelector("[data-choose]");
  if (!table) return;
  const bar = document.querySelector("[data-choose-bar]");
  const boxes = () => [...table.querySelectorAll("input[name=id]")];
  const tell = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    bar.querySelector("[data-chosen]").textContent = chosen ? `${chosen} chosen:` : "Choose jobs:";
    for (const button of bar.querySelectorAll("button")) button.disabled = !chosen;
  };
  table.addEventListener("change", (event) => {
    if (event.target.hasAttribute("data-choose-all")) for (const box of boxes()) box.checked = event.target.checked;
    tell();
  });
  tell();
}
