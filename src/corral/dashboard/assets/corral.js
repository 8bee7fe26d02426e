// What the pages do beyond links and forms, which work without any of this.
import { follow } from "./live.js";
import { choose, tellChosen } from "./choose.js";
import { readCharts, tellZone } from "./charts.js";

const root = document.documentElement;

function switchTheme() {
  const dark = getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme ?? "") === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("corral-theme", root.dataset.theme);
}

function copy(button) {
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  const said = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
  if (navigator.clipboard) {
    navigator.clipboard.writeText(text).then(said);
    return;
  }
  // Over plain HTTP there is no clipboard: what is selected can be copied all the same.
  getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
  document.execCommand("copy");
  said();
}

function hotkeys(event) {
  if (event.target.closest("input, textarea, select") || event.metaKey || event.ctrlKey || event.altKey) return;
  const field = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (field) { event.preventDefault(); field.focus(); field.select?.(); }
  const step = { j: 1, k: -1 }[event.key];
  if (step) {
    const links = [...document.querySelectorAll(".rows tbody th a")];
    const at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
  }
}

// Of what the server sends: at first, and of each part that is taken anew.
function equip() {
  for (const hidden of document.querySelectorAll("[data-theme-switch], [data-copy], [data-choose-all]")) hidden.hidden = false;
  tellChosen();
}

const kept = localStorage.getItem("corral-theme");
if (kept) root.dataset.theme = kept;
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-theme-switch")) switchTheme();
  if (button?.hasAttribute("data-copy")) copy(button);
});
document.addEventListener("keydown", hotkeys);
choose();
tellZone();
readCharts();
equip();
follow(equip);
