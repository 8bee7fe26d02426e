// Keeps a page as the server has it: parts marked `data-live` are taken anew from the same page, at most once a second.
const AT_MOST = 1000;

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.statusText);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(old.id);
    if (now && now.innerHTML !== old.innerHTML && !isInUse(old)) {
      const chosen = [...old.querySelectorAll("input[name=id]:checked")].map((box) => box.value);
      old.replaceChildren(...now.childNodes);
      for (const box of old.querySelectorAll("input[name=id]")) box.checked = chosen.includes(box.value);
    }
  }
}

// Where somebody selects text or has opened a stack trace, nothing moves under their hands.
function isInUse(part) {
  const selection = getSelection();
  return (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) || part.contains(document.activeElement);
}

function soon(pulse, equip) {
  let timer = 0;
  return () => {
    timer ||= setTimeout(async () => {
      timer = 0;
      if (document.hidden) return;
      try { await refresh(); equip(); pulse.classList.remove("lost"); } catch { pulse.classList.add("lost"); }
    }, AT_MOST);
  };
}

export function follow(equip) {
  const { events, poll, job } = document.body.dataset;
  const pulse = document.querySelector("[data-pulse]");
  if (!pulse || !(events || poll)) return;
  pulse.hidden = false;
  const again = soon(pulse, equip);
  if (poll) setInterval(again, Number(poll) * 1000);
  if (!events) return;
  const source = new EventSource(events);
  source.onmessage = (message) => { if (!job || JSON.parse(message.data).jobId === job) again(); };
  source.addEventListener("missed", again);
  // What happened between the making of the page and now was told to nobody.
  source.onopen = () => { pulse.classList.remove("lost"); again(); };
  source.onerror = () => pulse.classList.add("lost");
  addEventListener("pagehide", () => source.close());
}
