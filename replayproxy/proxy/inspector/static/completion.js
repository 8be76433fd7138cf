// What may be typed next in the filter box; decides, and knows nothing of the page.

const FIELDS = { operation: "operation", family: "family", session: "session", method: "method", model: "model", path: "target" };

/** The term in which the cursor stands: `{start, text}`; a blank within quotes does not end one. */
export function termAt(text, cursor) {
  let start = 0;
  let quote = "";
  for (let place = 0; place < cursor; place++) {
    const sign = text[place];
    if (quote) {
      if (sign === "\\") place++;
      else if (sign === quote) quote = "";
    } else if ((sign === '"' || sign === "'") && /^$|[\s,:~-]/.test(text[place - 1] ?? "")) quote = sign;
    else if (/\s/.test(sign)) start = place + 1;
  }
  return { start, text: text.slice(start, cursor), quoted: Boolean(quote) };
}

/**
 * What can take the place of that term: `[{text, meaning, goesOn}]`, the likely first; `keys` are the filter language's,
 * `values(field)` what is known of a field of the exchanges.
 */
export function completions(term, keys, values) {
  if (term.quoted) return [];
  const minus = term.text.startsWith("-") ? "-" : "";
  const word = term.text.slice(minus.length);
  const keyed = /^([A-Za-z_-]+)([:~])(.*)$/.exec(word);
  return keyed ? ofValues(minus, keyed, keys, values) : ofKeys(minus, word.toLowerCase(), keys);
}

function ofKeys(minus, word, keys) {
  const found = keys.filter((each) => [each.key, ...each.aliases].some((name) => name.startsWith(word)));
  const meaning = (each) => `${each.meaning}, as in ${each.example}`;
  return found.map((each) => ({ text: `${minus}${each.key}${each.signs[0]}`, meaning: meaning(each), goesOn: true }));
}

function ofValues(minus, [, name, sign, typed], keys, values) {
  const key = keys.find((each) => each.key === name.toLowerCase() || each.aliases.includes(name.toLowerCase()));
  if (!key || sign !== ":") return [];
  const before = typed.slice(0, typed.lastIndexOf(",") + 1);
  const begun = typed.slice(before.length).toLowerCase();
  const known = FIELDS[key.key] ? values(FIELDS[key.key]).map((value) => (key.key === "path" ? value.split("?")[0] : value)) : key.values;
  const fits = [...new Set(known)].filter((value) => value.toLowerCase().includes(begun) && value.toLowerCase() !== begun);
  const firsts = fits.sort((one, other) => other.toLowerCase().startsWith(begun) - one.toLowerCase().startsWith(begun));
  return firsts.slice(0, 12).map((value) => ({ text: `${minus}${name}${sign}${before}${spelled(value)}`, meaning: "", goesOn: false }));
}

/** A value as it has to be written. */
export function spelled(value) {
  return /^[^\s,"']+$/.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** A filter with a term more, or without it when it has it. */
export function toggled(text, term) {
  return has(text, term) ? text.replace(new RegExp(`(^|\\s)${term}(?=\\s|$)`), "$1").trim() : `${text} ${term}`.trim();
}

/** Whether a filter has that term. */
export function has(text, term) {
  return new RegExp(`(^|\\s)${term}(?=\\s|$)`).test(text);
}
