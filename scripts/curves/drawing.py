"""Two small charts beside each other, time and memory over the same numbers, as SVG; both axes are logarithmic."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 240, 52, 14, 24, 32
COLORS = ("#06c", "#c40")


def short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def decades(values):
    """Powers of ten that enclose the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def chart(left, title, unit, numbers, lines):
    """One chart; `lines` are (name, values)."""
    low, high = decades([value for _, values in lines for value in values])
    first, last = math.log10(min(numbers)), math.log10(max(numbers))

    def x(number):
        return left + LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(number) - first) / (last - first)

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(value) - low) / (high - low)

    parts = []
    for power in range(low, high + 1):
        at = y(10 ** power)
        parts.append(f'<line x1="{left + LEFT}" x2="{left + WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
                     f'<text x="{left + LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{short(10.0 ** power)}</text>')
    for number in numbers:
        parts.append(f'<text x="{x(number):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{short(number)}</text>')
    parts.append(f'<text x="{left + WIDTH / 2}" y="{HEIGHT - 3}" text-anchor="middle">{unit}</text>')
    names = "".join(f'<tspan fill="{color}" dx="8">{name}</tspan>' for (name, _), color in zip(lines, COLORS))
    parts.append(f'<text x="{left + LEFT}" y="13">{title}{names}</text>')
    for (_, values), color in zip(lines, COLORS):
        points = [(x(number), y(value)) for number, value in zip(numbers, values)]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{across:.1f}" cy="{down:.1f}" r="2.5" fill="{color}"/>' for across, down in points]
    return "".join(parts)


def drawing(unit, points):
    """`points`: (number, (seconds, CPU seconds, peak MiB, …))."""
    numbers = [number for number, _ in points]
    time = chart(0, "seconds:", unit, numbers,
                 [("wall", [values[0] for _, values in points]), ("CPU", [values[1] for _, values in points])])
    memory = chart(WIDTH, "peak memory, MiB", unit, numbers, [("", [values[2] for _, values in points])])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="10"><rect width="{2 * WIDTH}" height="{HEIGHT}" fill="white"/>{time}{memory}</svg>\n')
