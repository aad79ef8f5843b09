"use strict";
// From a film's values to grey levels, as the pipeline's own line has it: black at `low`, white at `high`.

function windowTable(low, high, inverted) {
  const table = new Uint32Array(65536);
  const slope = 255 / Math.max(high - low, 1e-9);
  for (let value = 0; value < 65536; value += 1) {
    let level = Math.round((value - low) * slope);
    level = level < 0 ? 0 : level > 255 ? 255 : level;
    if (inverted) level = 255 - level;
    table[value] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  return table;
}

function drawFilm(canvas, film, view) {
  if (canvas.width !== film.width || canvas.height !== film.height) {
    canvas.width = film.width;
    canvas.height = film.height;
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const picture = context.createImageData(film.width, film.height);
  const pixels = new Uint32Array(picture.data.buffer);
  const table = windowTable(view.low, view.high, view.inverted);
  const values = film.values;
  for (let at = 0; at < values.length; at += 1) pixels[at] = table[values[at]];
  context.putImageData(picture, 0, 0);
}
