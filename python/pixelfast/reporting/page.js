"use strict";
(() => {
  const one = (query, under = document) => under.querySelector(query);
  const all = (query, under = document) => [...under.querySelectorAll(query)];
  const links = all(".list a"), articles = all(".moment"), stages = all(".stage");
  const charts = JSON.parse(one("#charts").textContent);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let chosen = -1;

  // The list and what is shown beside it.
  function choose(at, { said = true, address = true } = {}) {
    if (at < 0 || at >= articles.length || at === chosen) return;
    chosen = at;
    articles.forEach((article, index) => article.classList.toggle("chosen", index === at));
    links.forEach((link, index) => index === at ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
    frame(at, 0);
    const list = one(".list"), box = links[at].getBoundingClientRect(), frameBox = list.getBoundingClientRect();
    list.scrollBy({
      top: Math.min(0, box.top - frameBox.top) + Math.max(0, box.bottom - frameBox.bottom),
      left: list.scrollWidth > list.clientWidth ? box.left - frameBox.left - (frameBox.width - box.width) / 2 : 0,
      behavior: calm ? "auto" : "smooth",
    });
    if (address) try { history.replaceState(null, "", `#moment-${at + 1}`); } catch { /* an address is a nicety */ }
    if (said) one("#said").textContent = `Moment ${at + 1} of ${articles.length}: ${one(".where", articles[at]).innerText}. ${one("h3", articles[at]).innerText}`;
  }
  function walk(step) {
    const inList = links.includes(document.activeElement);
    choose(Math.min(Math.max(chosen + step, 0), articles.length - 1));
    if (inList) links[chosen].focus({ preventScroll: true });
  }
  function show(at) {
    choose(at);
    one("#moments").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  }

  // Where in the picture: on or off for all moments alike.
  function where() {
    const bare = !stages.some(stage => stage.classList.contains("bare"));
    stages.forEach(stage => stage.classList.toggle("bare", bare));
    all(".toggle").forEach(button => button.setAttribute("aria-pressed", String(!bare)));
  }

  // The frames around the peak, in the place of the large picture.
  function frame(at, step) {
    const article = articles[at], stage = one(".stage", article), buttons = all(".strip button", article);
    const button = buttons.find(button => Number(button.dataset.step) === step);
    if (!button || !stage) return;
    buttons.forEach(other => other.setAttribute("aria-pressed", String(other === button)));
    const large = one(".large", stage), note = one(".elsewhen", stage);
    large.dataset.peak ??= large.src;
    const source = step ? one("img", button).src : large.dataset.peak;
    if (large.src !== source) large.src = source;
    stage.classList.toggle("away", step !== 0);
    note.hidden = step === 0;
    note.textContent = button.getAttribute("aria-label");
    const strip = one(".strip", article);
    strip.scrollLeft = button.parentElement.offsetLeft - (strip.clientWidth - button.clientWidth) / 2;
  }
  function leaf(side) {
    const buttons = all(".strip button", articles[chosen]);
    const now = buttons.findIndex(button => button.getAttribute("aria-pressed") === "true");
    const next = buttons[now + side];
    if (next) frame(chosen, Number(next.dataset.step));
  }

  document.addEventListener("click", event => {
    const link = event.target.closest(".list a"), button = event.target.closest(".strip button");
    if (link) { event.preventDefault(); choose(links.indexOf(link)); }
    else if (button) frame(chosen, Number(button.dataset.step));
    else if (event.target.closest(".toggle")) where();
    else if (event.target.matches(".large")) {
      const stage = event.target.closest(".stage");
      if (stage.classList.contains("away")) frame(chosen, 0); else if (one(".toggle", stage)) where();
    }
  });
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !articles.length) return;
    const does = { j: () => walk(1), k: () => walk(-1), h: where, ArrowLeft: () => leaf(-1), ArrowRight: () => leaf(1) }[event.key];
    if (does) { event.preventDefault(); does(); }
  });
  function fromAddress() {
    const found = /^#moment-(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) - 1 : -1;
  }
  addEventListener("hashchange", () => { if (fromAddress() >= 0) show(fromAddress()); });
  choose(Math.max(0, Math.min(fromAddress(), articles.length - 1)), { said: false, address: false });

  // Plotly comes packed, and is unpacked when the first chart comes into view.
  let unpacked;
  function plotly() {
    return unpacked ??= (async () => {
      const packed = Uint8Array.from(atob(one("#plotly").textContent), letter => letter.charCodeAt(0));
      const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
      const script = document.createElement("script");
      script.textContent = text;
      document.head.append(script);
      return window.Plotly;
    })();
  }
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const clock = seconds => {
    const whole = Math.floor(seconds), two = number => String(number).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  };
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
  function ticks(line, width) {
    if (!line.timed) return { nticks: Math.max(3, Math.floor(width / 90)), tickformat: "d" };
    const [first, last] = line.ends, most = Math.max(2, width / 90);
    const step = STEPS.find(step => (last - first) / step <= most) ?? (last - first) / most;
    const values = [];
    for (let at = Math.ceil(first / step) * step; at <= last; at += step) values.push(at);
    return { tickvals: values, ticktext: values.map(clock) };
  }
  const range = (() => {
    const peaks = charts.timelines.map(line => numbers(line.y).reduce((most, value) => Math.max(most, value), 0));
    return [0, Math.max(1e-9, charts.threshold ?? 0, ...peaks) * 1.22];
  })();
  function numbers(packed) {
    const bytes = Uint8Array.from(atob(packed.bdata), letter => letter.charCodeAt(0)).buffer;
    return new ({ f4: Float32Array, f8: Float64Array, i4: Int32Array }[packed.dtype])(bytes);
  }
  const SETTINGS = { displayModeBar: false, responsive: true };
  const base = more => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, dragmode: false,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("soft") },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 } },
    ...more,
  });
  const axis = more => ({ fixedrange: true, zeroline: false, showgrid: false, linecolor: colour("line"), tickcolor: colour("line"), layer: "below traces", ...more });

  function timeline(plot, line) {
    const x = numbers(line.x), y = numbers(line.y), level = charts.threshold, lanes = line.lanes.length;
    const name = at => line.timed ? clock(at) : `frame ${at}`;
    const flat = value => ({ x: [line.ends[0], line.ends[1]], y: [value, value], mode: "lines", hoverinfo: "skip", line: { width: 0 } });
    const traces = level === null ? [] : [flat(level), {
      x, y: y.map(value => Math.max(value, level)), mode: "lines", fill: "tonexty", fillcolor: colour("accent") + "3d",
      line: { width: 0 }, hoverinfo: "skip",
    }];
    traces.push({ x, y, mode: "lines", line: { color: colour("series"), width: 1.4 }, text: Array.from(x, name), hovertemplate: "%{text}: %{y:.3g}<extra></extra>" });
    if (line.moments.length) traces.push({
      x: line.moments.map(moment => moment[1]), y: line.moments.map(moment => moment[2]), customdata: line.moments.map(moment => moment[0]),
      mode: "markers+text", text: line.moments.map(moment => String(moment[0])), textfont: { color: colour("card"), size: 11 }, cliponaxis: false,
      marker: { color: colour("accent"), size: 19 }, hovertemplate: "moment %{customdata}<extra></extra>",
    });
    line.lanes.forEach(([what, stretches], at) => traces.push({
      x: stretches.flatMap(([first, last]) => [first, last, null]), y: stretches.flatMap(() => [at, at, null]), yaxis: "y2",
      mode: "lines", line: { color: colour(what), width: 7 }, hovertemplate: `${what}<extra></extra>`, connectgaps: false,
    }));
    const high = plot.clientHeight - 30, share = 15 * lanes / high, narrow = plot.clientWidth < 560;
    const beyond = (line.ends[1] - line.ends[0]) * 12 / plot.clientWidth;
    return [traces, base({
      margin: { l: narrow ? 62 : 74, r: 10, t: 6, b: 24 }, hovermode: "closest", clickmode: "event",
      xaxis: axis({ range: line.ends[0] < line.ends[1] ? [line.ends[0] - beyond, line.ends[1] + beyond] : undefined, anchor: lanes ? "y2" : "y", ...ticks(line, plot.clientWidth) }),
      yaxis: axis({ range, domain: [lanes ? share + .06 : 0, 1], nticks: 4, showgrid: true, gridcolor: colour("line") }),
      ...(lanes ? { yaxis2: axis({ domain: [0, share], range: [lanes - .5, -.5], tickvals: line.lanes.map((_, at) => at), ticktext: line.lanes.map(lane => lane[0]), showline: false, ticks: "", ticklabelstandoff: 5 }) } : {}),
      shapes: level === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: level, y1: level, line: { color: colour("accent"), width: 1, dash: "dash" } }],
    })];
  }
  function curve(plot, what) {
    const [x, y] = charts.curves[what], roc = what === "roc", share = charts.curves.share;
    const chance = roc ? [[0, 1], [0, 1]] : [[0, 1], [share, share]];
    const percent = { range: [0, 1.01], tickvals: [0, .25, .5, .75, 1], tickformat: ".0%", showgrid: true, gridcolor: colour("line") };
    return [[
      { x: chance[0], y: chance[1], mode: "lines", line: { color: colour("soft"), width: 1, dash: "dash" }, hoverinfo: "skip" },
      { x, y, mode: "lines", line: { color: colour("accent"), width: 2 }, hovertemplate: "%{x:.1%}: %{y:.1%}<extra></extra>" },
    ], base({
      margin: { l: 58, r: 22, t: 8, b: 44 }, hovermode: "closest",
      xaxis: axis({ ...percent, title: { text: roc ? "Normal frames taken for abnormal" : "Abnormal frames found (recall)" } }),
      yaxis: axis({ ...percent, title: { text: roc ? "Abnormal frames found" : "Precision" } }),
    })];
  }
  async function draw(plot) {
    try { await plotly(); } catch (error) { plot.textContent = "This browser cannot unpack the charts: a newer one can."; return; }
    const made = plot.dataset.curve ? curve(plot, plot.dataset.curve) : timeline(plot, charts.timelines[plot.closest(".timeline").dataset.at]);
    if (!plot.drawn) {
      plot.drawn = true;
      await window.Plotly.newPlot(plot, ...made, SETTINGS);
      plot.on("plotly_click", event => { const number = event.points.find(point => typeof point.customdata === "number"); if (number) show(number.customdata - 1); });
    } else await window.Plotly.react(plot, ...made, SETTINGS);
    plot.dataset.drawn = "true";
  }
  // Charts far out of view are given back: a page may have a thousand.
  const watcher = new IntersectionObserver(entries => entries.forEach(({ target, isIntersecting }) => {
    if (isIntersecting) draw(target);
    else if (target.drawn) { window.Plotly.purge(target); target.drawn = false; delete target.dataset.drawn; }
  }), { rootMargin: "400px" });
  const plots = all(".plot");
  const begin = () => plots.forEach(plot => watcher.observe(plot));
  if ("requestIdleCallback" in window) requestIdleCallback(begin, { timeout: 500 }); else setTimeout(begin, 50);
  const again = () => plots.filter(plot => plot.drawn).forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("beforeprint", again);
})();
