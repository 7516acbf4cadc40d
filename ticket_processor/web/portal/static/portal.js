// Shows times in the browser's own zone, says when the page has changed, and sends no form twice by a double click.
"use strict";
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) {
      time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      time.title = at.toISOString();
    }
  }
}
localTimes(document);
document.addEventListener("htmx:configRequest", (event) => {
  const version = event.detail.elt.dataset.etag;
  if (version) event.detail.headers["If-None-Match"] = version;
});
document.addEventListener("htmx:load", (event) => {
  localTimes(event.detail.elt.parentElement || document);
  const news = document.getElementById("news");
  const told = event.detail.elt.dataset && event.detail.elt.dataset.news;
  if (news && told && news.textContent !== told) news.textContent = told;
});
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const now = Date.now(); // nothing tells that an upload was cancelled, so that it can be sent again later
  if (now - (event.target.dataset.sent || 0) < 3000) event.preventDefault();
  else event.target.dataset.sent = now;
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
