const byId = (id) => document.getElementById(id);

async function call(method, path, data) {
  const answer = await fetch(path, {
    method,
    body: data && JSON.stringify(data),
    headers: data && { "Content-Type": "application/json" },
  });
  const text = await answer.text();
  const result = text ? JSON.parse(text) : null;
  byId("error").textContent = answer.ok ? "" : result.error;
  return answer.ok ? result ?? true : null;
}

function row(note) {
  const item = document.createElement("li");
  const remove = document.createElement("button");
  remove.textContent = "Delete";
  remove.onclick = async () => (await call("DELETE", `/api/notes/${note.id}`)) && show();
  const title = document.createElement("strong");
  title.textContent = note.title;
  const body = document.createElement("p");
  body.textContent = note.body;
  item.append(remove, title, body);
  return item;
}

async function show() {
  const words = byId("search").value.trim();
  const path = words ? `/api/search?q=${encodeURIComponent(words)}` : "/api/notes";
  const notes = await call("GET", path);
  if (notes) byId("notes").replaceChildren(...notes.map(row));
}

byId("new").onsubmit = async (event) => {
  event.preventDefault();
  const note = { title: byId("title").value, body: byId("body").value };
  if (await call("POST", "/api/notes", note)) event.target.reset();
  show();
};
byId("search").oninput = show;
show();
