"""The page of `replay.py`; REPLAY stands for its data, and LIVE for the agent that its reader plays, or null."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hide-and-seek</title>
<style>
body { margin: 0; background: #3a3836; color: #eee; font: 15px/1.4 system-ui, sans-serif; }
main { display: flex; flex-direction: column; align-items: center; padding: 12px; gap: 8px; }
canvas { background: #c8c2b8; max-width: 100%; max-height: 78vh; border-radius: 4px; }
.row { display: flex; gap: 14px; align-items: center; flex-wrap: wrap; justify-content: center; }
input[type=range] { width: min(560px, 80vw); }
button, select { font: inherit; padding: 3px 12px; }
#score { min-width: 21em; text-align: center; }
</style>
</head>
<body>
<main>
<canvas id="world" width="960" height="960"></canvas>
<div class="row"><button id="play">Pause</button><input id="time" type="range" min="0" value="0" step="1"></div>
<div class="row">
<label>follow <select id="follow"><option value="-1">nobody</option></select></label>
<label>speed <select id="speed">
<option>0.5</option><option selected>1</option><option>2</option><option>4</option>
</select></label>
<label><input id="cones" type="checkbox" checked> what agents see</label>
<label><input id="lidar" type="checkbox"> lidar</label>
<label id="limit"><input id="limited" type="checkbox"> nothing else than the agent followed sees</label>
</div>
<div id="keys" hidden>You are ringed in yellow: W A S D or arrows move, Q and E turn, space holds a box,
L locks or unlocks, R begins anew</div>
<div id="score"></div>
</main>
<script>
"use strict";
const live = LIVE;
let replay = REPLAY;
const $ = (id) => document.getElementById(id);
const canvas = $("world"), pen = canvas.getContext("2d");
const BOX = 2, RAMP = 3, INNER = 4, OUTER = 5;
const TEAM = ["#2c6ebe", "#cc4434"], THING = { 2: "#e2b258", 3: "#96b478" };
let now = 0, playing = true, last = performance.now();

function view() {
  const follow = Number($("follow").value), border = 0.5;
  if (follow < 0) {
    const scale = canvas.width / (replay.floor + 2 * border);
    return (x, y) => [(x + border) * scale, canvas.height - (y + border) * scale, scale];
  }
  const [ax, ay] = pose(follow), scale = canvas.width / 3.2;
  return (x, y) => [canvas.width / 2 + (x - ax) * scale, canvas.height / 2 - (y - ay) * scale, scale];
}

function pose(body) {
  const moving = replay.frames[0].pose.length;
  if (body >= moving) return [...replay.walls[body - moving], 0];
  const low = Math.floor(now), part = now - low, frames = replay.frames;
  const a = frames[low].pose[body], b = frames[Math.min(low + 1, frames.length - 1)].pose[body];
  let turn = (b[2] - a[2]) % (2 * Math.PI);
  if (turn > Math.PI) turn -= 2 * Math.PI;
  if (turn < -Math.PI) turn += 2 * Math.PI;
  return [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]), a[2] + part * turn];
}

function polygon(at, body, part = 1) {
  const [x, y, angle] = pose(body), [hx, hy] = replay.half[body], c = Math.cos(angle), s = Math.sin(angle);
  pen.beginPath();
  for (const [u, v] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
    const [px, py] = at(x + part * (c * u * hx - s * v * hy), y + part * (s * u * hx + c * v * hy));
    pen.lineTo(px, py);
  }
  pen.closePath();
}

function draw() {
  const at = view(), frame = replay.frames[Math.round(now)];
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const [left, top] = at(0, replay.floor), [right, bottom] = at(replay.floor, 0);
  pen.fillStyle = "#ece8e0";
  pen.fillRect(left, top, right - left, bottom - top);
  const eye = $("limited").checked ? Number($("follow").value) : -1;
  const seen = (body) => eye < 0 || body === eye || replay.kind[body] > RAMP || frame.seen[eye].includes(body);
  for (let body = replay.agents; body < replay.kind.length; body++) {
    if (!seen(body)) continue;
    const kind = replay.kind[body];
    polygon(at, body);
    pen.fillStyle = kind === INNER ? "#605c58" : kind === OUTER ? "#3c3a38" : THING[kind];
    pen.fill();
    if (kind === BOX || kind === RAMP) {
      const team = frame.team[body];
      pen.lineWidth = team < 0 ? 2 : 7;
      pen.strokeStyle = team < 0 ? "#786440" : TEAM[team];
      pen.stroke();
    }
    if (kind === RAMP) arrow(at, body);
  }
  for (let agent = 0; agent < replay.agents; agent++) if ($("lidar").checked && seen(agent)) beams(at, agent, frame);
  for (let agent = 0; agent < replay.agents; agent++) if (seen(agent)) disc(at, agent, frame);
}

function arrow(at, body) {
  const [x, y, angle] = pose(body), [hx, hy] = replay.half[body], c = Math.cos(angle), s = Math.sin(angle);
  pen.beginPath();
  for (const [u, v] of [[-0.6, -0.6], [0.6, 0], [-0.6, 0.6]]) {
    pen.lineTo(...at(x + c * u * hx - s * v * hy, y + s * u * hx + c * v * hy).slice(0, 2));
  }
  pen.closePath();
  pen.fillStyle = "#5a7846";
  pen.fill();
}

function beams(at, agent, frame) {
  const [x, y, angle] = pose(agent), ranges = frame.ranges[agent];
  pen.lineWidth = 1.5;
  pen.strokeStyle = TEAM[agent < replay.hiders ? 0 : 1] + "70";
  ranges.forEach((far, k) => {
    const a = angle + 2 * Math.PI * k / ranges.length;
    pen.beginPath();
    pen.moveTo(...at(x, y).slice(0, 2));
    pen.lineTo(...at(x + far * Math.cos(a), y + far * Math.sin(a)).slice(0, 2));
    pen.stroke();
  });
}

function disc(at, agent, frame) {
  const [x, y, angle] = pose(agent), radius = replay.half[agent][0], color = TEAM[agent < replay.hiders ? 0 : 1];
  const [px, py, scale] = at(x, y);
  if ($("cones").checked) {
    pen.beginPath();
    pen.moveTo(px, py);
    pen.arc(px, py, 5 * radius * scale, -angle - replay.cone, -angle + replay.cone);
    pen.closePath();
    pen.fillStyle = color + "30";
    pen.fill();
  }
  if (frame.hold[agent] >= 0) {
    const [hx, hy] = pose(frame.hold[agent]);
    pen.beginPath();
    pen.moveTo(px, py);
    pen.lineTo(...at(hx, hy).slice(0, 2));
    pen.lineWidth = 4;
    pen.strokeStyle = "#222";
    pen.stroke();
  }
  pen.beginPath();
  pen.arc(px, py, radius * scale, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  pen.lineWidth = frame.level[agent] || agent === live ? 7 : 3;
  pen.strokeStyle = frame.level[agent] ? "#fff" : agent === live ? "#f2d13c" : "#222";
  pen.stroke();
  pen.beginPath();
  pen.moveTo(px, py);
  pen.lineTo(...at(x + radius * Math.cos(angle), y + radius * Math.sin(angle)).slice(0, 2));
  pen.lineWidth = 4;
  pen.strokeStyle = "#fff";
  pen.stroke();
}

function tell() {
  const k = Math.round(now), frame = replay.frames[k];
  const phase = k < replay.preparation ? "preparation" : frame.hidden ? "all hidden" : "a hider is seen";
  $("score").textContent = `step ${k} of ${replay.horizon}: ${phase}`;
  $("time").value = k;
}

function tick(time) {
  const passed = Math.max(0, time - last) / 1000 / replay.step;
  if (live !== null) {
    now = Math.min(now + passed, replay.frames.length - 1);
  } else if (playing) {
    now += passed * Number($("speed").value);
    if (now >= replay.frames.length - 1) now = 0;
  }
  last = time;
  draw();
  tell();
  requestAnimationFrame(tick);
}

for (let agent = 0; agent < replay.agents; agent++) {
  const name = agent < replay.hiders ? `hider_${agent}` : `seeker_${agent - replay.hiders}`;
  $("follow").add(new Option(name, agent));
}
function setPlaying(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

function watch() {
  $("time").max = replay.frames.length - 1;
  $("time").oninput = () => { now = Number($("time").value); setPlaying(false); };
  $("play").onclick = () => setPlaying(!playing);
  if (location.hash) {
    now = Math.min(Number(location.hash.slice(1)), replay.frames.length - 1);
    setPlaying(false);
  }
}

const down = new Set();
let locks = false, again = false;
const help = $("keys").textContent;

function act() {
  const on = (...keys) => Number(keys.some((key) => down.has(key)));
  const given = {
    x: on("d", "arrowright") - on("a", "arrowleft"),
    y: on("w", "arrowup") - on("s", "arrowdown"),
    turn: on("q") - on("e"),
    hold: on(" "),
    lock: Number(locks),
    again,
  };
  again = false;
  return given;
}

async function step() {
  const begin = performance.now();
  try {
    const answer = await (await fetch("step", { method: "POST", body: JSON.stringify(act()) })).json();
    if (answer.setting) {
      replay = { ...answer.setting, frames: [answer.frame] };
      now = 0;
      locks = false;
    } else {
      replay.frames.push(answer.frame);
      now = Math.max(now, replay.frames.length - 2);
    }
    $("keys").textContent = `${help} | lock ${locks ? "on" : "off"} | ${answer.told}`;
    setTimeout(step, Math.max(0, 1000 * replay.step - (performance.now() - begin)));
  } catch {
    $("score").textContent = "the game has ended: palestra play no longer runs";
  }
}

function play() {
  for (const id of ["play", "time", "speed"]) $(id).parentElement.style.display = id === "time" ? "none" : "";
  $("speed").parentElement.style.display = "none";
  $("keys").hidden = false;
  onkeydown = (event) => {
    const key = event.key.toLowerCase();
    if (key === "l" && !event.repeat) locks = !locks;
    if (key === "r") again = true;
    if (key === " " || key.startsWith("arrow")) event.preventDefault();
    down.add(key);
  };
  onkeyup = (event) => down.delete(event.key.toLowerCase());
  onblur = () => down.clear();
  step();
}

if (live === null) watch(); else play();
requestAnimationFrame(tick);
</script>
</body>
</html>
"""
