// Reads the values of one time from the table behind the charts: under the pointer, or by the arrow keys.
const ZONE = "corral-zone";

// The server writes times as the clock of this browser shows them.
export function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (/^[\w+/-]+$/.test(zone) && !document.cookie.includes(`${ZONE}=${zone}`)) {
    document.cookie = `${ZONE}=${zone}; path=/; max-age=31536000; samesite=lax`;
  }
}

function rowsOf(charts) {
  return [...document.getElementById(charts.dataset.charts).querySelectorAll("tr[data-place]")];
}

function read(charts, place) {
  const row = rowsOf(charts).find((one) => Number(one.dataset.place) === place);
  const moment = charts.closest(".past").querySelector("[data-moment]");
  const values = row ? [...row.cells].slice(1).map((cell) => cell.textContent) : [];
  for (const line of charts.querySelectorAll(".cursor")) {
    line.setAttribute("x1", row ? place + 0.5 : -1);
    line.setAttribute("x2", row ? place + 0.5 : -1);
  }
  for (const [at, output] of charts.querySelectorAll("output").entries()) {
    output.dataset.last ??= output.textContent;
    output.textContent = row ? values[at] : output.dataset.last;
  }
  moment.textContent = row ? row.cells[0].textContent : "";
  charts.dataset.at = row ? place : "";
}

function point(event) {
  const plot = event.target.closest?.("[data-charts] .chart")?.querySelector(".plot");
  const charts = event.target.closest?.("[data-charts]");
  if (!plot) {
    if (event.type === "pointermove") leave(charts);
    return;
  }
  const { left, width } = plot.getBoundingClientRect();
  const steps = plot.viewBox.baseVal.width;
  read(charts, Math.max(0, Math.min(steps - 1, Math.floor((event.clientX - left) / width * steps))));
}

function leave(inside) {
  for (const charts of document.querySelectorAll("[data-charts]")) {
    if (charts !== inside && charts !== document.activeElement && charts.dataset.at) read(charts, -1);
  }
}

function walk(event) {
  const charts = event.target.closest?.("[data-charts]");
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!charts || !step) return;
  event.preventDefault();
  const places = rowsOf(charts).map((row) => Number(row.dataset.place)).reverse();
  const at = places.indexOf(Number(charts.dataset.at || NaN));
  const next = at < 0 ? places.length - 1 : Math.max(0, Math.min(places.length - 1, at + step));
  read(charts, places[next]);
}

export function readCharts() {
  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  document.addEventListener("keydown", walk);
  document.addEventListener("focusout", () => setTimeout(leave, 0));
}
