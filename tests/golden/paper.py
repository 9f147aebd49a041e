"""The numbers that the paper prints (Tables 2, 3, 5 and 6), in points: avg@8 on the test tasks."""

ENVS = ("webshop", "searchqa", "textcraft", "alfworld", "babyai")
PLANS = ("base", "easy", "hard", "all", "easy > hard", "hard > easy")

DIFFICULTY = """
3B base      | 21.7 10.6 15.3 | 63.7 6.5 23.7 | 23.7 2.3 14.5 | 26.8 8.0 13.2 | 71.5 48.0 61.6
3B easy      | 90.3 75.3 81.6 | 82.7 16.9 36.6 | 97.6 49.4 76.9 | 93.2 82.0 85.1 | 93.4 79.0 87.3
3B hard      | 86.1 84.5 85.2 | 72.5 19.4 35.3 | 95.0 42.2 72.3 | 96.1 92.9 93.8 | 92.3 77.3 86.0
3B all       | 92.8 84.3 87.9 | 87.6 22.1 41.8 | 93.9 47.4 73.9 | 97.0 89.8 91.8 | 93.2 77.5 86.6
3B easy>hard | 93.6 85.2 88.7 | 82.1 19.8 38.5 | 93.9 52.9 76.3 | 97.3 93.4 94.4 | 94.5 82.2 89.3
3B hard>easy | 90.2 82.4 85.7 | 82.0 18.7 37.7 | 97.8 40.1 73.0 | 95.5 92.3 93.6 | 94.5 80.4 88.6
7B base      | 44.1 17.4 28.6 | 79.6 10.4 31.2 | 46.9 16.0 33.6 | 40.2 21.4 26.6 | 80.1 47.9 67.0
7B easy      | 88.1 77.5 82.0 | 85.8 21.1 40.5 | 98.2 47.4 76.4 | 95.2 89.7 91.2 | 95.2 76.1 87.2
7B hard      | 87.9 81.4 84.2 | 93.3 27.0 46.9 | 99.3 57.3 81.3 | 97.5 94.6 95.4 | 92.8 77.9 86.5
7B all       | 92.9 81.9 86.5 | 91.8 26.6 46.1 | 95.2 52.3 80.9 | 97.7 97.2 92.0 | 95.6 74.5 88.8
7B easy>hard | 90.6 77.5 83.0 | 89.8 25.5 44.8 | 98.7 64.0 83.8 | 96.1 92.6 93.6 | 95.5 82.9 90.2
7B hard>easy | 89.1 79.1 83.3 | 87.6 21.5 42.3 | 99.8 57.0 81.4 | 97.7 88.5 91.1 | 92.5 78.2 86.5
"""
"""Table 2: model, plan, then easy, hard and all in each environment."""

TRANSFER = """
3B base      | 15.30 23.66 14.50 13.19 61.83
3B webshop   | 87.86 25.84 18.50 23.06 70.91 | 72.56 6.29 19.54
3B searchqa  | 22.97 41.78 22.75 12.13 65.72 | 18.13 4.69 4.56
3B textcraft | 14.46 22.16 73.88 11.00 63.73 | 59.38 -0.66 11.35
3B alfworld  | 21.86 23.50 24.88 91.81 64.68 | 78.62 4.91 19.65
3B babyai    | 28.36 22.63 16.75 4.50 86.55 | 24.72 1.40 6.06
7B base      | 28.59 31.19 33.63 26.56 67.00
7B webshop   | 86.50 33.28 40.75 24.13 79.21 | 57.91 4.75 15.38
7B searchqa  | 47.07 46.12 35.25 16.75 80.33 | 14.93 5.91 7.71
7B textcraft | 38.30 32.19 80.88 31.50 77.95 | 47.25 6.65 14.77
7B alfworld  | 34.31 29.59 36.13 92.00 72.91 | 65.44 3.13 15.59
7B babyai    | 10.25 29.41 39.25 28.13 88.79 | 21.79 -3.23 1.77
"""
"""Table 3: model, trained in, the score in each environment, then ΔHeld-In, ΔHeld-Out and ΔOverall."""

TEST_TASKS = {
    "webshop": (84, 116),
    "searchqa": (120, 280),
    "textcraft": (57, 43),
    "alfworld": (55, 145),
    "babyai": (52, 38),
}
"""Table 5: how many test tasks are easy, and how many hard."""

SEQUENTIAL = """
base                | 28.59 31.19 33.63 26.56 67.00
webshop             | 86.50 33.28 40.75 24.13 79.21
webshop>searchqa    | 85.08 41.44 44.63 17.81 78.88
webshop>textcraft   | 86.32 36.81 82.50 26.63 81.68
webshop>alfworld    | 85.99 34.22 43.75 90.69 76.34
webshop>babyai      | 86.38 33.97 49.25 25.50 87.74
searchqa            | 47.07 46.12 35.25 16.75 80.33
searchqa>webshop    | 80.35 46.16 34.50 18.44 78.59
searchqa>textcraft  | 49.31 46.19 78.63 26.06 78.03
searchqa>alfworld   | 39.42 42.92 41.00 94.00 81.29
searchqa>babyai     | 44.36 45.44 25.00 14.06 89.62
textcraft           | 38.30 32.19 80.88 31.50 77.95
textcraft>webshop   | 84.33 34.59 77.00 18.31 78.44
textcraft>searchqa  | 39.17 43.16 71.63 19.69 78.97
textcraft>alfworld  | 42.04 31.56 76.50 90.38 62.19
textcraft>babyai    | 23.00 33.37 74.88 22.81 87.55
alfworld            | 34.31 29.59 36.13 92.00 72.91
alfworld>webshop    | 82.95 31.50 35.88 87.75 49.65
alfworld>searchqa   | 53.04 44.66 43.50 90.63 77.86
alfworld>textcraft  | 50.31 30.81 76.00 91.19 77.01
alfworld>babyai     | 25.68 28.31 39.25 85.56 75.59
babyai              | 10.25 29.41 39.25 28.13 88.79
babyai>webshop      | 83.60 30.19 36.38 33.38 90.66
babyai>searchqa     | 33.71 38.84 40.63 24.06 89.37
babyai>textcraft    | 17.95 33.37 86.00 29.31 88.60
babyai>alfworld     | 13.60 29.88 41.25 92.50 89.32
"""
"""Table 6: Qwen2.5-7B-Instruct after one stage or two, and its score in each environment."""
