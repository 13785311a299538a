//! Line charts as SVG: a few lines over one another, with their names.

use std::fmt::Write;

/// A line.
pub struct Line {
    /// As the legend has it.
    pub name: String,
    /// Points with rising x.
    pub points: Vec<(f64, f64)>,
}

/// A chart of some lines.
pub struct Chart {
    /// Above it.
    pub title: &'static str,
    /// What the x axis is.
    pub x: &'static str,
    /// What the y axis is.
    pub y: &'static str,
    /// The lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 44.0;
/// Told apart also by those who see no red or green.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#333333"];
const TICKS: u32 = 5;

impl Chart {
    /// The file.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let right = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let top = points().map(|(_, y)| *y).fold(1.0, f64::max);
        let x = |value: f64| LEFT + value / right * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
            self.title
        );
        for tick in 0..=TICKS {
            let part = f64::from(tick) / f64::from(TICKS);
            let (across, up) = (part * right, part * top);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                WIDTH - RIGHT,
                y(up),
                y(up),
                LEFT - 6.0,
                y(up) + 4.0,
                short(up),
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
            TOP - 4.0,
            self.y,
        );
        for (number, (line, colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let path: Vec<_> =
                line.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
            let legend = TOP + 18.0 * number as f64 + 8.0;
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n\
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
