/** A chart over the figures of a benchmark. */
import { type ChartPlan, type Figure, isMeasurement, type Measurement } from "../benchmark.ts";
import { formatValue } from "../report/format.ts";
import { linearScale, logScale, type Scale, spreadApart } from "./scale.ts";
import { COLOURS, element, FONT_PX, label, svgFile, textWidth } from "./svg.ts";

const WIDTH = 860;
const CURVES_HEIGHT = 470;
const MARGIN = { top: 56, bottom: 56, left: 84 };
const BAR_PX = 18;
const BAR_STEP_PX = 30;

type Pointed = Measurement & { readonly point: NonNullable<Measurement["point"]> };

/** SVG text; undefined when no figure belongs to the chart. */
export function drawChart(
  plan: ChartPlan,
  figures: readonly Figure[],
  remark: string,
): string | undefined {
  const pointed = figures.filter(
    (figure): figure is Pointed => isMeasurement(figure) && figure.point?.chart === plan.id,
  );
  if (pointed.length === 0) return undefined;
  return plan.kind === "bars" ? drawBars(plan, pointed, remark) : drawCurves(plan, pointed, remark);
}

function headOf(plan: ChartPlan, remark: string): readonly string[] {
  return [label(plan.title, 16, 24, { class: "title" }), label(remark, 16, 43, { class: "soft" })];
}

function description(figures: readonly Pointed[]): string {
  return figures
    .map(({ name, median, unit }) => `${name}: ${formatValue(median, unit)}`)
    .join("; ");
}

function linesOf(figures: readonly Pointed[]): ReadonlyMap<string, readonly Pointed[]> {
  const lines = new Map<string, Pointed[]>();
  for (const figure of figures) {
    const line = lines.get(figure.point.line) ?? [];
    line.push(figure);
    lines.set(figure.point.line, line);
  }
  for (const line of lines.values()) line.sort((a, b) => a.point.x - b.point.x);
  return lines;
}

function drawCurves(plan: ChartPlan, figures: readonly Pointed[], remark: string): string {
  const lines = [...linesOf(figures)];
  const right = WIDTH - 28 - Math.max(...lines.map(([name]) => textWidth(name)));
  const bottom = CURVES_HEIGHT - MARGIN.bottom;
  const x = logScale(
    figures.map(({ point }) => point.x),
    { from: MARGIN.left, to: right },
  );
  const y = logScale(
    figures.flatMap(({ low, high, median }) => [low, high, median]),
    { from: bottom, to: MARGIN.top },
  );
  const unit = figures[0]?.unit ?? "count";
  const ends = lines.map(([, line]) => y.at(line.at(-1)?.median ?? 0));
  const labelYs = spreadApart(ends, FONT_PX + 3);
  const body = [
    ...headOf(plan, remark),
    ...x.ticks.map((tick) => gridLine(x.at(tick), MARGIN.top, x.at(tick), bottom)),
    ...y.ticks.map((tick) => gridLine(MARGIN.left, y.at(tick), right, y.at(tick))),
    ...x.ticks.map((tick) =>
      label(tick.toLocaleString("en-US"), x.at(tick), bottom + 20, { "text-anchor": "middle" }),
    ),
    ...y.ticks.map((tick) =>
      label(formatValue(tick, unit), MARGIN.left - 8, y.at(tick) + 4, { "text-anchor": "end" }),
    ),
    label(plan.xLabel, (MARGIN.left + right) / 2, bottom + 42, {
      "text-anchor": "middle",
      class: "soft",
    }),
    label(plan.yLabel, 0, 0, {
      transform: `translate(16 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
      "text-anchor": "middle",
      class: "soft",
    }),
    ...lines.flatMap(([, line], at) => curve(line, at % COLOURS, x, y)),
    ...lines.map(([name, line], at) =>
      label(name, x.at(line.at(-1)?.point.x ?? 1) + 10, (labelYs[at] ?? 0) + 4, {
        class: `f${at % COLOURS}`,
        style: `fill:var(--c${at % COLOURS})`,
      }),
    ),
  ];
  return svgFile(
    { width: WIDTH, height: CURVES_HEIGHT },
    { title: plan.title, description: description(figures) },
    body,
  );
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  return element("line", { class: "grid", x1, y1, x2, y2 });
}

function curve(line: readonly Pointed[], colour: number, x: Scale, y: Scale): readonly string[] {
  const points = line.map(
    ({ point, median }) => `${x.at(point.x).toFixed(1)},${y.at(median).toFixed(1)}`,
  );
  return [
    element("polyline", { class: `line c${colour}`, points: points.join(" ") }),
    ...line.map(({ point, low, high }) =>
      element("line", {
        class: `range c${colour}`,
        x1: x.at(point.x),
        x2: x.at(point.x),
        y1: y.at(low),
        y2: y.at(high),
      }),
    ),
    ...line.map(({ point, median }) =>
      element("circle", { class: `f${colour}`, cx: x.at(point.x), cy: y.at(median), r: 3.5 }),
    ),
  ];
}

/** One bar a figure, in their order; those of other runs are marked. */
function drawBars(plan: ChartPlan, figures: readonly Pointed[], remark: string): string {
  const nameOf = ({ point, quotedFrom }: Pointed): string =>
    quotedFrom === undefined ? point.line : `${point.line} (quoted)`;
  const left = 28 + Math.max(...figures.map((figure) => textWidth(nameOf(figure))));
  const right = WIDTH - 110;
  const height = MARGIN.top + figures.length * BAR_STEP_PX + MARGIN.bottom;
  const bottom = height - MARGIN.bottom;
  const unit = figures[0]?.unit ?? "count";
  const scale = linearScale(Math.max(...figures.map(({ high }) => high)), {
    from: left,
    to: right,
  });
  const bars = figures.flatMap((figure, at) => {
    const y = MARGIN.top + at * BAR_STEP_PX + (BAR_STEP_PX - BAR_PX) / 2;
    const colour = figure.quotedFrom === undefined ? figure.point.x % COLOURS : COLOURS - 1;
    const middle = y + BAR_PX / 2;
    return [
      label(nameOf(figure), left - 8, middle + 4, { "text-anchor": "end" }),
      element("rect", {
        class: `f${colour}`,
        x: left,
        y,
        width: Math.max(1, scale.at(figure.median) - left),
        height: BAR_PX,
      }),
      element("line", {
        class: "grid",
        style: "stroke:var(--ink)",
        x1: scale.at(figure.low),
        x2: scale.at(figure.high),
        y1: middle,
        y2: middle,
      }),
      label(formatValue(figure.median, unit), scale.at(figure.high) + 8, middle + 4),
    ];
  });
  const body = [
    ...headOf(plan, remark),
    ...scale.ticks.map((tick) => gridLine(scale.at(tick), MARGIN.top, scale.at(tick), bottom)),
    ...scale.ticks.map((tick) =>
      label(formatValue(tick, unit), scale.at(tick), bottom + 20, { "text-anchor": "middle" }),
    ),
    label(plan.yLabel, (left + right) / 2, bottom + 42, { "text-anchor": "middle", class: "soft" }),
    ...bars,
  ];
  return svgFile(
    { width: WIDTH, height },
    { title: plan.title, description: description(figures) },
    body,
  );
}
