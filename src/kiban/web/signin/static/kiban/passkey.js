// Forms that sign with a passkey: <form data-passkey="get|create" hidden> with a hidden input named credential.
// Options lie in #passkey-options, or are fetched from data-options. Without this script such a form stays hidden.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
  const text = (raw) => btoa(String.fromCharCode(...new Uint8Array(raw))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const given = (options) => {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
    key.allowCredentials = ids(key.allowCredentials);
    key.excludeCredentials = ids(key.excludeCredentials);
    return { publicKey: key };
  };

  const answer = (found) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) response[name] = text(found.response[name]);
    }
    if (found.response.getTransports) response.transports = found.response.getTransports();
    return {
      id: found.id, rawId: text(found.rawId), type: found.type, response,
      authenticatorAttachment: found.authenticatorAttachment,
      clientExtensionResults: found.getClientExtensionResults(),
    };
  };

  const options = async (form) => {
    if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-options").textContent);
    const told = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (!told.ok) throw new Error(String(told.status));
    return await told.json();
  };

  const sign = async (form) => {
    const told = form.querySelector(".wrong");
    told.hidden = true;
    try {
      const all = await options(form);
      const found = form.dataset.passkey === "create"
        ? await navigator.credentials.create(given(all.creation_options))
        : await navigator.credentials.get(given(all.request_options));
      form.elements.credential.value = JSON.stringify(answer(found));
      form.submit();
    } catch (error) {
      told.textContent = error.name === "InvalidStateError"
        ? "このパスキーは登録済みです。"
        : "パスキーを確認できませんでした。もう一度試すか、他の方法を使ってください。";
      told.hidden = false;
    }
  };

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => { event.preventDefault(); sign(form); });
  }
})();
