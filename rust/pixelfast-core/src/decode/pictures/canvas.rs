//! Where the pictures of an animation are drawn on each other.

/// A part of the canvas.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// What becomes of a picture's area before the next is drawn.
pub(super) enum Then {
    Stay,
    /// It takes this color and alpha.
    Fill([u8; 4]),
    /// It is again as it was before.
    Restore,
}

/// Pixels of red, green, blue and alpha.
pub(super) struct Canvas {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
    then: Option<(Area, Vec<u8>)>,
    empty: bool,
}

impl Canvas {
    pub(super) fn new(height: usize, width: usize) -> Self {
        Self { height, width, pixels: vec![0; 4 * height * width], then: None, empty: true }
    }

    /// Fills the canvas of an animation that has not begun.
    pub(super) fn fill(&mut self, color: [u8; 4]) {
        if self.empty {
            self.pixels.chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&color));
        }
    }

    /// Draws `pixels` (four bytes each) into an area, what lies outside left out; `over` lets what is transparent show
    /// what was there.
    pub(super) fn draw(&mut self, area: Area, pixels: &[u8], over: bool, then: &Then) {
        if let Some((area, pixels)) = self.then.take() {
            self.rows(area, |row, at| row.copy_from_slice(&pixels[at..][..row.len()]));
        }
        let room = 4 * area.width * area.height;
        self.then = match then {
            Then::Stay => None,
            Then::Fill(color) => Some((area, color.repeat(room / 4))),
            Then::Restore => {
                let mut before = vec![0; room];
                self.rows(area, |row, at| before[at..][..row.len()].copy_from_slice(row));
                Some((area, before))
            }
        };
        let over = over && !self.empty;
        self.empty = false;
        self.rows(area, |row, at| {
            let new = &pixels[at..][..row.len()];
            if !over {
                return row.copy_from_slice(new);
            }
            row.chunks_exact_mut(4).zip(new.chunks_exact(4)).for_each(|(below, above)| blend(below, above));
        });
    }

    /// Calls `work` with each row of the area that lies on the canvas, and where it begins in the area's own bytes.
    fn rows(&mut self, area: Area, mut work: impl FnMut(&mut [u8], usize)) {
        let columns = area.width.min(self.width.saturating_sub(area.x));
        let rows = area.height.min(self.height.saturating_sub(area.y));
        for row in 0..if columns > 0 { rows } else { 0 } {
            let start = 4 * ((area.y + row) * self.width + area.x);
            work(&mut self.pixels[start..][..4 * columns], 4 * row * area.width);
        }
    }
}

/// Lays a pixel over another.
fn blend(below: &mut [u8], above: &[u8]) {
    let (alpha, under) = (u32::from(above[3]), u32::from(below[3]));
    if alpha == 0 {
        return;
    }
    if alpha == 255 || under == 0 {
        return below.copy_from_slice(above);
    }
    let whole = alpha * 255 + under * (255 - alpha);
    for (below, above) in below.iter_mut().zip(above).take(3) {
        let mixed = u32::from(*above) * alpha * 255 + u32::from(*below) * under * (255 - alpha);
        *below = ((mixed + whole / 2) / whole) as u8;
    }
    below[3] = ((whole + 127) / 255) as u8;
}
