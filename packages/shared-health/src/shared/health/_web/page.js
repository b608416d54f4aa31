"use strict";
(() => {
  const every = 2000, patience = 4000;
  const notice = document.getElementById("lost");
  let answered = Date.now();
  const main = () => document.querySelector("main");

  function lost(is) {
    document.body.classList.toggle("lost", is);
    notice.hidden = !is;
    if (is) {
      const text = "The server does not answer. What is shown here is old.";
      if (notice.textContent !== text) notice.textContent = text;
      document.title = "No answer · " + document.querySelector("h1").textContent;
    }
  }

  async function refresh() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    try {
      const answer = await fetch(location.href, {
        headers: { accept: "text/html" }, cache: "no-store", signal: stop.signal,
      });
      const type = answer.headers.get("content-type") || "";
      if (!type.startsWith("text/html")) throw new Error("not the status page");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("main");
      if (!next) throw new Error("not the status page");
      swap(document.adoptNode(next));
      document.title = page.title;
      answered = Date.now();
      lost(false);
    } catch {
      lost(true);
    } finally {
      clearTimeout(timer);
      setTimeout(refresh, every);
    }
  }

  // Parts that did not change stay, so focus, selection and scroll stay too, and a
  // screen reader hears the banner only when it says something new.
  function swap(next) {
    const now = main();
    for (const part of ["header", ".banner", "tbody", "thead", ".note", "footer"]) {
      const [a, b] = [now.querySelector(part), next.querySelector(part)];
      if (!a !== !b) {
        now.replaceChildren(...next.childNodes);
        return;
      }
      if (a && a.outerHTML !== b.outerHTML) {
        a.className = b.className;
        a.replaceChildren(...b.childNodes);
      }
    }
  }

  setTimeout(refresh, every);
})();
