"""Pictures of the demo's products: simple still lifes drawn from a seed, a thing on a table in soft light. No photo of anything real.

Each thing is a few shapes. A shape is lit from the left: its colour runs from light over itself to dark across its own width, which is
all the depth there is. Drawn at double size and made smaller, so that edges are smooth.
"""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

WIDTH, HEIGHT = 1600, 1200
OUT = (960, 720)
TABLE = 880
LOOKS: tuple[tuple[Colour, Colour], ...] = (
    ((196, 54, 52), (246, 226, 214)),
    ((46, 110, 150), (222, 234, 240)),
    ((58, 128, 86), (228, 238, 222)),
    ((222, 150, 52), (250, 236, 210)),
    ((104, 86, 150), (234, 228, 242)),
    ((70, 74, 84), (232, 230, 226)),
)
WHITE, STEEL, DARK, WOOD, PAPER, GOLD = (
    (246, 244, 240),
    (190, 196, 202),
    (52, 52, 58),
    (176, 120, 72),
    (236, 216, 180),
    (220, 176, 84),
)


class Scene:
    """A wall, a table, and what is put on it."""

    def __init__(self, look: tuple[Colour, Colour], rng: Random) -> None:
        """Wall and table in the tint of the look, with the light somewhere on the left."""
        self.colour, wall = look
        self.image = Image.new("RGB", (WIDTH, HEIGHT), wall)
        light = Image.new("L", (WIDTH, HEIGHT), 0)
        at = rng.randint(260, 620), rng.randint(180, 420)
        ImageDraw.Draw(light).ellipse((at[0] - 520, at[1] - 420, at[0] + 520, at[1] + 420), fill=150)
        self.image.paste((255, 255, 255), mask=light.filter(ImageFilter.GaussianBlur(180)))
        table = ImageOps.colorize(
            Image.linear_gradient("L").resize((WIDTH, HEIGHT - TABLE)), mix(wall, WHITE, 40), mix(wall, self.colour, 24)
        )
        self.image.paste(table, (0, TABLE))

    def shadow(self, left: int, right: int, floor: int) -> None:
        """The soft shadow under a thing that stands between left and right on this floor, falling to the right."""
        mask = Image.new("L", (WIDTH, HEIGHT), 0)
        ImageDraw.Draw(mask).ellipse((left - 10, floor - 44, right + 130, floor + 46), fill=120)
        self.image.paste(mix(self.colour, DARK, 70), mask=mask.filter(ImageFilter.GaussianBlur(26)))

    def put(self, colour: Colour, draw: Callable[[ImageDraw.ImageDraw], None], *, gloss: int = 42) -> None:
        """A shape in this colour, lit from the left; `draw` draws it white on black. `gloss` is how light its light side is."""
        mask = Image.new("L", (WIDTH, HEIGHT), 0)
        draw(ImageDraw.Draw(mask))
        box = mask.getbbox()
        if box is None:
            return
        across = Image.linear_gradient("L").rotate(90).resize((box[2] - box[0], box[3] - box[1]))
        lit = ImageOps.colorize(across, mix(colour, WHITE, gloss), mix(colour, DARK, 46), mid=colour, midpoint=96)
        self.image.paste(lit, box[:2], mask.crop(box))

    def block(self, colour: Colour, box: Box, radius: int = 0, *, gloss: int = 42) -> None:
        """A rounded box."""
        self.put(colour, lambda pen: pen.rounded_rectangle(box, radius, fill=255), gloss=gloss)

    def oval(self, colour: Colour, box: Box, *, gloss: int = 42) -> None:
        """An ellipse."""
        self.put(colour, lambda pen: pen.ellipse(box, fill=255), gloss=gloss)

    def shape(self, colour: Colour, *points: tuple[int, int], gloss: int = 42) -> None:
        """A polygon."""
        self.put(colour, lambda pen: pen.polygon(points, fill=255), gloss=gloss)

    def line(self, colour: Colour, *points: tuple[int, int], width: int = 20) -> None:
        """A bent line with round joints."""
        self.put(colour, lambda pen: pen.line(points, fill=255, width=width, joint="curve"))


def mix(colour: Colour, other: Colour, percent: int) -> Colour:
    """So much of the other in the colour."""
    return tuple((a * (100 - percent) + b * percent) // 100 for a, b in zip(colour, other, strict=True))  # type: ignore[return-value]


def _cooker(scene: Scene, _rng: Random) -> None:
    scene.shadow(480, 1120, 960)
    scene.block(scene.colour, (470, 500, 1130, 970), 150)
    scene.block(WHITE, (470, 470, 1130, 600), 64)
    scene.oval(mix(scene.colour, WHITE, 20), (500, 396, 1100, 560))
    scene.block(STEEL, (730, 372, 870, 416), 22)
    scene.block(DARK, (640, 690, 960, 860), 34, gloss=14)
    for at in (700, 800, 900):
        scene.oval(mix(scene.colour, WHITE, 60), (at - 22, 800, at + 22, 844))
    scene.block((140, 220, 190), (690, 716, 910, 776), 12)


def _kettle(scene: Scene, _rng: Random) -> None:
    scene.shadow(560, 1040, 980)
    scene.line(DARK, (1010, 520), (1190, 560), (1190, 820), (1030, 880), width=44)
    scene.shape(scene.colour, (600, 420), (980, 420), (1050, 980), (540, 980))
    scene.shape(mix(scene.colour, WHITE, 24), (600, 470), (470, 400), (500, 360), (640, 430))
    scene.block(STEEL, (590, 396, 990, 440), 18)
    scene.oval(DARK, (740, 330, 850, 410))
    scene.block(DARK, (510, 960, 1080, 1010), 24, gloss=14)


def _cup(scene: Scene, rng: Random) -> None:
    for left, tall, colour in ((560, 620, scene.colour), (880, 500, mix(scene.colour, WHITE, 55)))[
        : rng.choice((1, 2, 2))
    ]:
        top = 980 - tall
        scene.shadow(left, left + 230, 976)
        scene.block(colour, (left, top + 90, left + 230, 984), 44)
        scene.block(STEEL, (left + 14, top + 70, left + 216, top + 120), 12)
        scene.block(mix(colour, DARK, 20), (left + 24, top, left + 206, top + 90), 30)


def _pan(scene: Scene, _rng: Random) -> None:
    scene.shadow(380, 1080, 900)
    scene.line(WOOD, (1040, 760), (1420, 600), width=62)
    scene.shape(DARK, (360, 730), (1100, 730), (990, 920), (470, 920))
    scene.oval(mix(DARK, STEEL, 30), (360, 660, 1100, 810))
    scene.oval(mix(DARK, scene.colour, 14), (400, 676, 1060, 794), gloss=10)


def _sack(scene: Scene, _rng: Random) -> None:
    scene.shadow(500, 1090, 984)
    scene.shape(PAPER, (520, 420), (1080, 420), (1130, 640), (1110, 990), (490, 990), (470, 640))
    scene.shape(mix(PAPER, WOOD, 26), (540, 420), (1060, 420), (1000, 330), (600, 330))
    scene.block(WOOD, (570, 400, 1030, 430), 14)
    scene.block(scene.colour, (580, 560, 1020, 850), 30)
    scene.oval(WHITE, (690, 610, 910, 800))
    scene.oval(mix(scene.colour, WHITE, 20), (760, 640, 840, 770))


def _bottle(scene: Scene, rng: Random) -> None:
    for left in (520, 820)[: rng.choice((1, 2))]:
        scene.shadow(left, left + 260, 984)
        scene.block(GOLD, (left, 480, left + 260, 990), 60)
        scene.shape(GOLD, (left + 30, 520), (left + 230, 520), (left + 165, 360), (left + 95, 360))
        scene.block(scene.colour, (left + 80, 290, left + 180, 372), 16)
        scene.block(WHITE, (left + 10, 640, left + 250, 860), 10)
        scene.block(scene.colour, (left + 50, 690, left + 210, 720), 10)
        scene.block(mix(scene.colour, WHITE, 50), (left + 50, 750, left + 170, 774), 10)


def _linen(scene: Scene, _rng: Random) -> None:
    scene.shadow(400, 1200, 980)
    for place, part in enumerate((0, 60, 26, 76)):
        top = 860 - place * 120
        scene.block(mix(scene.colour, WHITE, part), (400 + place * 16, top, 1200 - place * 16, top + 130), 58, gloss=56)
    scene.block(WHITE, (520, 330, 1080, 510), 84, gloss=60)


def _phone(scene: Scene, _rng: Random) -> None:
    scene.shadow(620, 1000, 984)
    scene.block(DARK, (600, 300, 1000, 990), 60, gloss=20)
    scene.block(mix(scene.colour, WHITE, 20), (626, 330, 974, 960), 36, gloss=60)
    scene.oval(mix(scene.colour, WHITE, 70), (700, 480, 900, 680))
    scene.shadow(1090, 1300, 984)
    scene.block(WHITE, (1090, 800, 1310, 990), 70)
    scene.block(STEEL, (1170, 876, 1230, 886), 4)


def _books(scene: Scene, rng: Random) -> None:
    scene.shadow(440, 1160, 984)
    for place in range(4):
        shift = rng.randint(-40, 40)
        top = 880 - place * 110
        colour = mix(scene.colour, (WHITE, GOLD, DARK, STEEL)[place], 10 + place * 14)
        scene.block(colour, (460 + shift, top, 1140 + shift, top + 108), 14)
        scene.block(WHITE, (1100 + shift, top + 14, 1140 + shift, top + 94), 6, gloss=20)
        scene.block(mix(colour, WHITE, 60), (560 + shift, top + 40, 700 + shift, top + 62), 8)


def _gift(scene: Scene, _rng: Random) -> None:
    scene.shadow(470, 1130, 984)
    scene.block(scene.colour, (480, 560, 1120, 990), 18)
    scene.block(mix(scene.colour, WHITE, 12), (450, 500, 1150, 620), 18)
    scene.block(GOLD, (750, 500, 850, 990), 0)
    scene.oval(GOLD, (560, 370, 800, 510))
    scene.oval(GOLD, (800, 370, 1040, 510))
    scene.oval(mix(scene.colour, DARK, 20), (620, 410, 740, 480))
    scene.oval(mix(scene.colour, DARK, 20), (860, 410, 980, 480))
    scene.oval(mix(GOLD, DARK, 10), (740, 400, 860, 520))


def _fruit(scene: Scene, rng: Random) -> None:
    scene.shadow(400, 1200, 984)
    for place in range(5):
        left = 470 + place * 130 + rng.randint(-12, 12)
        scene.oval(
            ((206, 60, 50), (232, 160, 60), (150, 176, 70))[place % 3],
            (left, 590 - place % 2 * 90, left + 230, 820 - place % 2 * 90),
        )
    scene.shape(WOOD, (400, 740), (1200, 740), (1110, 990), (490, 990))
    for at in (790, 850, 910):
        scene.line(mix(WOOD, DARK, 26), (440, at), (1160, at), width=8)


def _carton(scene: Scene, _rng: Random) -> None:
    for left, top, colour in ((430, 520, scene.colour), (850, 640, mix(scene.colour, WHITE, 50))):
        scene.shadow(left, left + 340, 984)
        scene.block(colour, (left, top, left + 350, 990), 16)
        scene.block(WHITE, (left + 46, top + 90, left + 304, top + 220), 14)
        scene.block(mix(colour, DARK, 30), (left + 90, top + 140, left + 260, top + 164), 10)


def _fan(scene: Scene, _rng: Random) -> None:
    scene.shadow(620, 980, 984)
    scene.block(WHITE, (772, 640, 828, 960), 20)
    scene.oval(mix(scene.colour, WHITE, 40), (600, 920, 1000, 1000))
    scene.oval(STEEL, (560, 260, 1040, 740))
    scene.oval(mix(WHITE, scene.colour, 12), (584, 284, 1016, 716), gloss=60)
    for box in ((610, 420, 800, 560), (760, 300, 900, 500), (800, 470, 990, 600), (690, 510, 830, 700)):
        scene.oval(mix(scene.colour, WHITE, 20), box)
    scene.oval(DARK, (750, 450, 850, 550))


def _helmet(scene: Scene, _rng: Random) -> None:
    scene.shadow(440, 1180, 900)
    scene.put(scene.colour, lambda pen: pen.pieslice((480, 380, 1120, 1240), 180, 360, fill=255))
    scene.block(mix(scene.colour, DARK, 16), (400, 790, 1200, 860), 34)
    scene.block(mix(scene.colour, WHITE, 30), (760, 372, 840, 780), 36)


def _tube(scene: Scene, _rng: Random) -> None:
    for left, tall in ((520, 560), (770, 440), (1000, 300)):
        scene.shadow(left, left + 180, 984)
        scene.block(mix(scene.colour, WHITE, left // 20), (left, 990 - tall, left + 180, 990), 46)
        scene.block(WHITE, (left + 50, 930 - tall, left + 130, 1000 - tall), 14)
        scene.block(mix(scene.colour, DARK, 18), (left + 40, 1100 - tall, left + 140, 1124 - tall), 8)


def _shirt(scene: Scene, _rng: Random) -> None:
    scene.shadow(440, 1160, 990)
    scene.shape(
        scene.colour,
        (620, 340),
        (980, 340),
        (1210, 480),
        (1120, 620),
        (1040, 570),
        (1060, 990),
        (540, 990),
        (560, 570),
        (480, 620),
        (390, 480),
    )
    scene.oval(mix(scene.colour, DARK, 24), (700, 300, 900, 410))
    scene.block(mix(scene.colour, WHITE, 40), (860, 600, 980, 740), 10)


THINGS: dict[str, Callable[[Scene, Random], None]] = {
    "cooker": _cooker,
    "kettle": _kettle,
    "cup": _cup,
    "pan": _pan,
    "sack": _sack,
    "bottle": _bottle,
    "linen": _linen,
    "phone": _phone,
    "books": _books,
    "gift": _gift,
    "fruit": _fruit,
    "carton": _carton,
    "fan": _fan,
    "helmet": _helmet,
    "tube": _tube,
    "shirt": _shirt,
}


@cache
def draw_thing(thing: str, look: int) -> bytes:
    """A thing of THINGS in one of the looks (counted round), as a JPEG like one that a merchant would send."""
    rng = Random(f"{thing}:{look}")  # noqa: S311  the same luck from the same seed is what a demo wants
    scene = Scene(LOOKS[look % len(LOOKS)], rng)
    THINGS[thing](scene, rng)
    body = BytesIO()
    scene.image.resize(OUT, Image.Resampling.LANCZOS).save(body, "JPEG", quality=88)
    return body.getvalue()
