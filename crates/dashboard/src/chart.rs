//! A line over time as SVG, drawn by `plotters`. Its colours are the style sheet's: the chart names classes, and
//! words and numbers stand beside it as text.

use plotters::prelude::*;

/// Units of a chart's coordinates, which the page stretches.
const SIZE: (u32, u32) = (480, 64);
/// What the style sheet draws the line and the area below it with instead.
const LINE: RGBColor = RGBColor(1, 2, 3);
const AREA: RGBColor = RGBColor(3, 2, 1);

/// One value at a moment, milliseconds since the epoch.
pub type Point = (i64, u64);

/// The line of these points, which are ascending, and the words that say the same. Empty for less than two:
/// what was looked at once has no trend.
pub fn line(points: &[Point], words: &str) -> String {
    let (Some((from_ms, _)), Some((to_ms, _))) = (points.first(), points.last()) else {
        return String::new();
    };
    if from_ms >= to_ms {
        return String::new();
    }
    let highest = points.iter().map(|(_, value)| *value).max().unwrap_or_default().max(1);
    let mut svg = String::new();
    if draw(&mut svg, points, (*from_ms, *to_ms), highest).is_err() {
        return String::new();
    }
    themed(&svg, words)
}

fn draw(
    svg: &mut String,
    points: &[Point],
    span: (i64, i64),
    highest: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    #[expect(clippy::cast_precision_loss, reason = "a pixel is coarser")]
    let place = |(at_ms, value): &Point| {
        ((at_ms - span.0) as f64 / (span.1 - span.0) as f64, *value as f64 / highest as f64)
    };
    let mut chart = ChartBuilder::on(&area)
        .margin_top(4)
        .margin_bottom(2)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    let stepped = steps(points);
    chart.draw_series(AreaSeries::new(stepped.iter().map(place), 0.0, AREA.filled()))?;
    chart.draw_series(LineSeries::new(stepped.iter().map(place), LINE.stroke_width(2)))?;
    area.present()?;
    Ok(())
}

/// A count holds until the next look: it does not slope.
fn steps(points: &[Point]) -> Vec<Point> {
    let mut stepped = Vec::new();
    let mut before = None;
    for (at_ms, value) in points {
        stepped.extend(before.filter(|old| old != value).map(|old| (*at_ms, old)));
        stepped.push((*at_ms, *value));
        before = Some(*value);
    }
    stepped
}

/// With classes instead of colours, and stretched as wide as there is room.
fn themed(svg: &str, words: &str) -> String {
    let Some((_, inner)) = svg.split_once('>') else { return String::new() };
    let inner = inner
        .replace("stroke=\"#010203\"", "class=\"line\" vector-effect=\"non-scaling-stroke\"")
        .replace("fill=\"#030201\"", "class=\"area\"");
    let (width, height) = SIZE;
    let words = words.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<svg class=\"trend\" viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{words}\">{}",
        inner.replace('\n', "")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_pages_colours_and_says_its_words() {
        let svg = line(&[(0, 3), (10, 5), (20, 0)], "3 & 5 \"then\" <0>");
        assert!(svg.starts_with("<svg class=\"trend\"") && svg.ends_with("</svg>"), "{svg}");
        assert!(svg.contains("class=\"line\"") && svg.contains("class=\"area\""), "{svg}");
        assert!(svg.contains("aria-label=\"3 &amp; 5 &quot;then&quot; &lt;0>\""), "{svg}");
        assert!(!svg.contains('#') && !svg.contains("style="), "{svg}");
    }

    #[test]
    fn what_was_looked_at_once_has_no_trend() {
        for points in [&[][..], &[(5, 1)], &[(5, 1), (5, 2)]] {
            assert_eq!(line(points, "x"), "");
        }
    }

    #[test]
    fn a_count_holds_until_the_next_look() {
        assert_eq!(steps(&[(0, 1), (10, 1), (20, 3)]), [(0, 1), (10, 1), (20, 1), (20, 3)]);
    }
}
