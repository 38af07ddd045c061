// Draws what a model did with a sentence: the words of both sides, and below them a strip for each,
// one row a mechanism and one column a piece. To select a word is to see where the attention looked
// and which mechanisms were active at it. For the page, and for a file of its own.
"use strict";

const SIDES = {
  source: { title: "Source", part: "encoder", other: "target" },
  target: { title: "Translation", part: "decoder", other: "source" },
};

// What a layer's name means to a reader.
const LAYER_TITLES = {
  "encoder.forward": "encoder, first layer, left to right",
  "encoder.backward": "encoder, first layer, right to left",
  "decoder.0": "decoder, first layer (below the attention)",
};

function layerTitle(name) {
  const [part, number] = name.split(".");
  return LAYER_TITLES[name] ?? `${part}, layer ${Number(number) + 1}`;
}

// An element: its text is always text, never markup.
function make(tag, properties = {}, children = []) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// Hands a share to the style sheet.
function setShare(element, name, share) {
  element.style.setProperty(name, `${Math.min(Math.max(100 * share, 0), 100)}%`);
}

function wordName(word) {
  return word.text ? `“${word.text}”` : "the end";
}

// Makes the words in `elements` one stop of the Tab key; arrow keys go from word to word.
function walkWithArrows(elements) {
  elements.forEach((element, number) => {
    element.tabIndex = number === 0 ? 0 : -1;
    element.addEventListener("focus", () => {
      elements.forEach((other) => (other.tabIndex = other === element ? 0 : -1));
    });
    element.addEventListener("keydown", (event) => {
      const goal = {
        ArrowRight: elements[number + 1],
        ArrowLeft: elements[number - 1],
        Home: elements[0],
        End: elements.at(-1),
      }[event.key];
      if (goal) {
        event.preventDefault();
        goal.focus();
      }
    });
  });
}

// A word that is selected when the pointer is over it, when it has the focus, and when it is
// tapped.
function selectable(element, select) {
  element.classList.add("word");
  element.setAttribute("role", "button");
  for (const event of ["mouseenter", "focus", "click"]) {
    element.addEventListener(event, select);
  }
  return element;
}

class Drawing {
  // explanation: as the server's /explain gives it. chosen: the layer of each side that is shown;
  // it is changed here, so that the next drawing can go on with it.
  constructor(explanation, chosen = {}) {
    this.explanation = explanation;
    this.chosen = chosen;
    this.words = { source: explanation.source_words, target: explanation.target_words };
    this.headings = { source: [], target: [] };
    this.onselect = () => {};
    this.summary = make("p", { className: "summary" });
    this.summary.setAttribute("role", "status");
    this.summary.textContent = "Point at a word, or go to it with the Tab and arrow keys.";
    this.strips = { source: this.makeStrip("source"), target: this.makeStrip("target") };
    this.element = make("div", { className: "drawing" }, [
      this.summary,
      this.strips.source,
      this.strips.target,
    ]);
  }

  layers(side) {
    return this.explanation[SIDES[side].part];
  }

  layer(side) {
    const layers = this.layers(side);
    return layers.find((layer) => layer.name === this.chosen[side]) ?? layers.at(-1);
  }

  // How much the decoder looked at a word of the source while it wrote a word of the translation.
  share(source, target) {
    const rows = this.words.target[target].pieces.map((piece) => this.explanation.attention[piece]);
    const looks = rows.map((row) =>
      this.words.source[source].pieces.reduce((sum, piece) => sum + row[piece], 0),
    );
    return looks.reduce((sum, look) => sum + look, 0) / rows.length;
  }

  // The shares of all words of the other side.
  shares(side, number) {
    const other = SIDES[side].other;
    return this.words[other].map((_, index) =>
      side === "target" ? this.share(index, number) : this.share(number, index),
    );
  }

  select(side, number) {
    this.selected = { side, number };
    const other = SIDES[side].other;
    const shares = this.shares(side, number);
    for (const heading of [...this.headings.source, ...this.headings.target]) {
      heading.classList.remove("selected");
      heading.style.removeProperty("--share");
    }
    this.headings[side][number].classList.add("selected");
    shares.forEach((share, index) => {
      setShare(this.headings[other][index], "--share", share);
    });
    this.markColumns();
    this.reveal(side, number);
    this.reveal(other, shares.indexOf(Math.max(...shares)));
    this.summary.textContent = this.describe(side, number, shares);
    this.onselect(side, number, shares);
  }

  describe(side, number, shares) {
    const other = this.words[SIDES[side].other];
    const most = shares
      .map((share, index) => ({ share, word: other[index] }))
      .filter(({ share }) => share >= 0.05)
      .sort((a, b) => b.share - a.share)
      .slice(0, 3)
      .map(({ share, word }) => `${wordName(word)} ${percent(share)}`);
    const word = this.words[side][number];
    const looks = side === "target" ? "looked at" : "was looked at while writing";
    const sentences = [`${wordName(word)} ${looks} ${most.join(", ") || "nothing much"}.`];
    const layer = this.layer(side);
    if (layer) {
      const active = layer.active[0]
        .map((_, mechanism) => mechanism)
        .filter((mechanism) => word.pieces.some((piece) => layer.active[piece][mechanism]));
      const pieces = word.pieces.length > 1 ? ` during its ${word.pieces.length} pieces` : "";
      sentences.push(`Active mechanisms${pieces}: ${active.join(", ")} (${layerTitle(layer.name)}).`);
    }
    return sentences.join(" ");
  }

  // One side: a choice of layer, and the strip, which scrolls by itself where it is too wide.
  makeStrip(side) {
    const { title } = SIDES[side];
    const scroll = make("div", { className: "scroll" });
    const strip = make("section", { className: `strip ${side}` }, [
      make("div", { className: "strip-head" }, [make("h3", { textContent: title })]),
      scroll,
    ]);
    if (this.layers(side).length > 0) {
      strip.firstChild.append(this.makeChoice(side, scroll));
    } else {
      strip.firstChild.append(make("span", { textContent: "This model has no mechanisms here." }));
    }
    scroll.append(this.makeTable(side));
    return strip;
  }

  makeChoice(side, scroll) {
    const choice = make("select");
    for (const { name } of this.layers(side)) {
      choice.append(make("option", { value: name, textContent: layerTitle(name) }));
    }
    choice.value = this.layer(side).name;
    choice.addEventListener("change", () => {
      this.chosen[side] = choice.value;
      scroll.replaceChildren(this.makeTable(side));
      if (this.selected) {
        this.select(this.selected.side, this.selected.number);
      }
    });
    return make("label", {}, ["Layer ", choice]);
  }

  makeTable(side) {
    const layer = this.layer(side);
    const title = layer ? `Mechanisms at each piece: ${layerTitle(layer.name)}` : "Words and pieces";
    return make("table", {}, [
      make("caption", { className: "unseen", textContent: title }),
      make("thead", {}, [this.makeWords(side), this.makePieces(side)]),
      make("tbody", {}, this.makeMechanisms(side)),
    ]);
  }

  makeWords(side) {
    this.headings[side] = this.words[side].map((word, number) => {
      const button = selectable(make("span", { textContent: word.text || "■" }), () =>
        this.select(side, number),
      );
      button.setAttribute("aria-label", word.text || "end of the sentence");
      return button;
    });
    walkWithArrows(this.headings[side]);
    const cells = this.headings[side].map((heading, number) =>
      make("th", { scope: "colgroup", colSpan: this.words[side][number].pieces.length }, [heading]),
    );
    return make("tr", { className: "words" }, [make("td"), ...cells]);
  }

  makePieces(side) {
    const cells = this.words[side].flatMap((word) =>
      word.pieces.map((piece) => {
        const text = this.explanation[side][piece].replace("▁", "") || "␣";
        return make("td", { textContent: word.pieces.length > 1 ? text : "" });
      }),
    );
    return make("tr", { className: "pieces" }, [make("td"), ...cells]);
  }

  makeMechanisms(side) {
    const layer = this.layer(side);
    if (!layer) {
      return [];
    }
    return layer.active[0].map((_, mechanism) => {
      const cells = layer.active.map((active, piece) => {
        const wanted = layer.wants[piece][mechanism];
        const state = active[mechanism] ? "active" : "idle";
        const square = make("span", { className: state });
        setShare(square, "--want", wanted);
        square.setAttribute("role", "img");
        square.setAttribute("aria-label", `${state}, wanted ${percent(wanted)}`);
        square.title = `mechanism ${mechanism}: ${state}, wanted the input ${percent(wanted)}`;
        return make("td", {}, [square]);
      });
      const heading = make("th", { scope: "row", textContent: mechanism });
      heading.setAttribute("aria-label", `mechanism ${mechanism}`);
      return make("tr", { className: "mechanism" }, [heading, ...cells]);
    });
  }

  // Scrolls a strip, and nothing but the strip, until a word is in sight.
  reveal(side, number) {
    const scroll = this.strips[side].querySelector(".scroll");
    const frame = scroll.getBoundingClientRect();
    const place = this.headings[side][number].getBoundingClientRect();
    if (place.left < frame.left || place.right > frame.right) {
      scroll.scrollLeft += (place.left + place.right - frame.left - frame.right) / 2;
    }
  }

  // Marks the columns of the selected word.
  markColumns() {
    for (const side of Object.keys(SIDES)) {
      const marked =
        this.selected.side === side ? this.words[side][this.selected.number].pieces : [];
      for (const row of this.strips[side].querySelectorAll("tr.mechanism")) {
        [...row.querySelectorAll("td")].forEach((cell, piece) => {
          cell.classList.toggle("marked", marked.includes(piece));
        });
      }
    }
  }
}

function makeLegend() {
  const entries = [
    ["active", "active"],
    ["", "not active"],
    ["wanting", "wanted the input little … much"],
    ["look", "where the attention looked"],
  ];
  return make(
    "ul",
    { className: "legend" },
    entries.map(([className, text]) => make("li", {}, [make("i", { className }), text])),
  );
}

// In a file of its own the explanations are in the file.
const embedded = document.getElementById("explanations");
if (embedded) {
  const chosen = {};
  document.querySelector("main").append(makeLegend());
  for (const explanation of JSON.parse(embedded.textContent)) {
    const title = make("h2", { textContent: explanation.translation || "(an empty translation)" });
    document.querySelector("main").append(title, new Drawing(explanation, chosen).element);
  }
}
