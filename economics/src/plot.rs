//! Line charts as SVG: a few lines over one another, with their names.

use std::fmt::Write;

/// A line.
pub struct Line {
    /// As the legend has it.
    pub name: String,
    /// Points with rising x.
    pub points: Vec<(f64, f64)>,
}

/// How the y axis grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From 0.
    Linear,
    /// From 1, by powers of ten.
    Logarithmic,
}

/// A chart of some lines.
pub struct Chart {
    /// Above it.
    pub title: &'static str,
    /// What the x axis is.
    pub x: &'static str,
    /// What the y axis is.
    pub y: &'static str,
    /// How the y axis grows.
    pub scale: Scale,
    /// The lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 300.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 44.0;
/// Told apart also by those who see no red or green.
const COLOURS: [&str; 9] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#333333", "#56b4e9", "#8c6d1f",
    "#999999",
];
const TICKS: u32 = 5;

impl Scale {
    /// Where a value is, of an axis up to `top`: from 0 to 1.
    fn part(self, value: f64, top: f64) -> f64 {
        match self {
            Self::Linear => value / top,
            Self::Logarithmic => value.max(1.0).log10() / top.log10(),
        }
    }

    /// Where the axis ends, above `highest`, and its ticks.
    fn ticks(self, highest: f64) -> Vec<f64> {
        match self {
            Self::Linear => even_ticks(highest),
            Self::Logarithmic => {
                let powers = highest.max(10.0).log10().ceil() as i32;
                (0..=powers).map(|power| 10f64.powi(power)).collect()
            }
        }
    }
}

/// From 0, evenly, in steps of 1, 2 or 5 of some power of ten.
fn even_ticks(highest: f64) -> Vec<f64> {
    let rough = (highest / f64::from(TICKS)).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let ticks = (highest / step).ceil() as u32;
    (0..=ticks).map(|tick| f64::from(tick) * step).collect()
}

impl Chart {
    /// The file.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let right = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let ups = self.scale.ticks(points().map(|(_, y)| *y).fold(1.0, f64::max));
        let top = ups.last().copied().unwrap_or(1.0);
        let x = |value: f64| LEFT + value / right * (WIDTH - LEFT - RIGHT);
        let y =
            |value: f64| HEIGHT - BOTTOM - self.scale.part(value, top) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
            self.title
        );
        for up in ups {
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                y(up),
                y(up),
                LEFT - 6.0,
                y(up) + 4.0,
                short(up),
            );
        }
        for across in even_ticks(right).into_iter().filter(|across| *across <= right) {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x(across),
                HEIGHT - BOTTOM + 16.0,
                short(across),
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text x=\"{LEFT}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            x(right / 2.0),
            HEIGHT - 8.0,
            self.x,
            TOP - 10.0,
            self.y,
        );
        for (number, (line, colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let path: Vec<_> =
                line.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
            let legend = TOP + 18.0 * number as f64 + 8.0;
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n\
                 <text x=\"{:.1}\" y=\"{legend:.1}\" fill=\"{colour}\">{}</text>",
                path.join(" "),
                WIDTH - RIGHT + 10.0,
                line.name,
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn short(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
