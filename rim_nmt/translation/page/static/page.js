// The page: translates what is typed while it is typed, and draws what the mechanisms did.
"use strict";

const PAUSE = 300; // milliseconds without a key after which the text is sent
const ALTERNATIVES = 4;

const $ = (selector) => document.querySelector(selector);
const [typed, translation, alternatives, problem] =
  ["#typed", "#translation", "#alternatives", "#problem"].map($);

const chosenLayers = {}; // stay while the text changes
let languages = null; // { source, target }, codes
let waiting; // the timer of the pause
let current = new AbortController(); // what is asked of the server for the text as it is now

class Refusal extends Error {}

// Asks the server. A text that changes aborts what was asked for it before, so that no late answer
// is shown, and the server need not work for it.
async function ask(path, signal, body) {
  let response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new Refusal("The server does not answer. Is it still running?");
  }
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") {
      throw error;
    }
    return {};
  });
  if (!response.ok) {
    throw new Refusal(answer.error ?? `The server answered ${response.status}.`);
  }
  return answer;
}

async function update() {
  clearTimeout(waiting);
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const text = typed.value;
  if (!text.trim()) {
    clear();
    return;
  }
  translation.setAttribute("aria-busy", "true");
  try {
    await learnLanguages(signal);
    const { source, target } = languages;
    const request = { q: text, source, target, format: "text", alternatives: ALTERNATIVES };
    const answer = await ask("translate", signal, request);
    const texts = [answer.translatedText, ...answer.alternatives];
    problem.hidden = true;
    offer(text, texts);
    await show(text, texts, 0, signal);
  } catch (error) {
    complain(error);
  }
}

async function learnLanguages(signal) {
  if (languages) {
    return;
  }
  const known = await ask("languages", signal);
  const source = known.find((language) => language.targets.length > 0);
  const target = known.find((language) => language.code === source.targets[0]);
  languages = { source: source.code, target: target.code };
  $("#from").textContent = source.name;
  $("#into").textContent = target.name;
  typed.lang = source.code;
  translation.lang = $("#spoken").lang = target.code;
}

// Shows one of the translations, and then what the mechanisms did.
async function show(text, texts, rank, signal) {
  translation.removeAttribute("aria-busy");
  translation.textContent = $("#spoken").textContent = texts[rank];
  $("#copy").hidden = !navigator.clipboard; // browsers have none for pages from other machines
  $("#mechanisms").setAttribute("aria-busy", "true");
  try {
    const explained = await ask("explain", signal, { q: text, alternative: rank });
    draw(explained, texts[rank]);
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    // the translation is there: this is no more than a note
    $("#mechanisms").hidden = $("#note").hidden = false;
    $("#note").textContent = error.message;
    $("#drawing").replaceChildren();
    $("#which").hidden = true;
  }
  $("#mechanisms").removeAttribute("aria-busy");
}

// Offers the translations to choose from, each text once.
function offer(text, texts) {
  const labels = texts.map((content, rank) => {
    const button = make("input", { type: "radio", name: "rank", checked: rank === 0 });
    button.addEventListener("change", () => choose(text, texts, rank));
    return make("label", {}, [button, ` ${content}`]);
  });
  const distinct = labels.filter((_, rank) => texts.indexOf(texts[rank]) === rank);
  const fieldset = alternatives.querySelector("fieldset");
  fieldset.replaceChildren(fieldset.firstElementChild, ...distinct);
  alternatives.hidden = distinct.length < 2;
}

async function choose(text, texts, rank) {
  current.abort();
  current = new AbortController();
  try {
    await show(text, texts, rank, current.signal);
  } catch (error) {
    complain(error);
  }
}

// Draws one sentence at a time: that of the word that was selected last.
function draw({ sentences, gaps }, text) {
  $("#mechanisms").hidden = sentences.length === 0;
  $("#note").hidden = true;
  const drawings = sentences.map((sentence) => new Drawing(sentence, chosenLayers));
  const choice = $("#which select");
  const showSentence = (number) => {
    choice.value = number;
    $("#drawing").replaceChildren(drawings[number].element);
  };
  choice.replaceChildren(
    ...sentences.map((_, number) =>
      make("option", { value: number, textContent: `${number + 1} of ${sentences.length}` }),
    ),
  );
  choice.onchange = () => showSentence(Number(choice.value));
  $("#which").hidden = sentences.length < 2;
  if (sentences.length > 0) {
    showSentence(0);
  }
  drawWords(drawings, gaps, text, showSentence);
}

// Puts words that can be selected in the place of the translation's text.
function drawWords(drawings, gaps, text, showSentence) {
  const content = [gaps[0]];
  const all = [];
  drawings.forEach((drawing, sentence) => {
    const words = drawing.words.target.filter((word) => word.text);
    const elements = words.map((word) => {
      const number = drawing.words.target.indexOf(word);
      return selectable(make("span", { textContent: word.text }), () => {
        showSentence(sentence);
        drawing.select("target", number);
      });
    });
    drawing.onselect = (side, number, shares) => {
      all.forEach((element) => {
        element.classList.remove("selected");
        element.style.removeProperty("--share");
      });
      if (side === "target") {
        elements[number]?.classList.add("selected");
      } else {
        elements.forEach((element, index) => setShare(element, "--share", shares[index]));
      }
    };
    all.push(...elements);
    elements.forEach((element, index) => content.push(...(index ? [" ", element] : [element])));
    content.push(gaps[sentence + 1]);
  });
  const read = content.map((part) => part.textContent ?? part).join("");
  if (read === text) {
    translation.replaceChildren(...content);
    walkWithArrows(all);
  } // otherwise the text is right, and the drawing has the words
}

function clear() {
  translation.removeAttribute("aria-busy");
  translation.textContent = $("#spoken").textContent = "";
  alternatives.hidden = problem.hidden = $("#copy").hidden = $("#mechanisms").hidden = true;
}

// Says what went wrong. What is shown no longer belongs to the text, and goes.
function complain(error) {
  if (error.name === "AbortError") {
    return; // the text has changed
  }
  clear();
  problem.hidden = false;
  problem.firstElementChild.textContent =
    error instanceof Refusal ? error.message : `The page failed: ${error.message}`;
}

typed.addEventListener("input", () => {
  current.abort(); // stale from here on
  clearTimeout(waiting);
  waiting = setTimeout(update, PAUSE);
});
problem.querySelector("button").addEventListener("click", update);
$("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#spoken").textContent);
  $("#copy").textContent = "Copied";
  setTimeout(() => ($("#copy").textContent = "Copy"), 1500);
});

$("#mechanisms").append(makeLegend());
learnLanguages(current.signal).catch(complain);
if (typed.value) {
  update(); // the browser kept it
}
