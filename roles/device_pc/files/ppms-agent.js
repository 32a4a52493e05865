// SPDX-License-Identifier: GPL-3.0-or-later
//
// PPMS agent: tells the PPMS tracker once a minute who sits at this PC's console, and keeps a journal of every minute.
//
// Windows Task Scheduler runs it each minute as LOCAL SERVICE. Its twin ppms-agent.vbs does the same in VBScript, in
// the same order: change both. This one is for PCs whose VBScript is off. Windows 7 to 11; only what Windows itself
// brings, so the language is JScript as of 1999 (ES3).
//
//   (no argument)   one minute; ends with 0 journalled, 1 fault in the agent, 2 configuration broken,
//                   3 journal can't be written, 4 another run is still at work
//   /version        one line
//   /check          tells configuration, tracker and console user; changes nothing
//
// Rules that everything below obeys: a minute is never sent twice; nobody's minute is sent for somebody else; times are
// UTC; the tracker code appears nowhere but in the request to the tracker.

var VERSION = "1.0";
var ENGINE = "jscript";

var EXIT_OK = 0;
var EXIT_FAULT = 1;
var EXIT_CONFIG = 2;
var EXIT_JOURNAL = 3;
var EXIT_BUSY = 4;

var JOURNAL_HEADER = "time_utc,login,minutes,result,detail";

var FOR_READING = 1;
var FOR_APPENDING = 8;

// A text of these, in the configuration, stands for an answer without any text.
var NO_TEXT = "(empty)";

var fso = new ActiveXObject("Scripting.FileSystemObject");
var shell = new ActiveXObject("WScript.Shell");
var folder = fso.GetParentFolderName(WScript.ScriptFullName);
var config, trackerCode, state, wmiError, lockFile;

var exitCode = EXIT_FAULT;
try {
  exitCode = main();
} catch (fault) {
  tellEventLog("fault " + fault.number + ": " + fault.description);
}
WScript.Quit(exitCode);


// --- What to do ------------------------------------------------------------------------------------------------------

function main() {
  var wish = WScript.Arguments.length > 0 ? WScript.Arguments.Item(0).toLowerCase() : "";
  switch (wish) {
    case "":
      return runOnce();
    case "/version":
      WScript.Echo("ppms-agent " + VERSION + " " + ENGINE);
      return EXIT_OK;
    case "/check":
      check();
      return EXIT_OK;
    default:
      WScript.Echo("usage: ppms-agent.js [/version | /check]");
      return EXIT_FAULT;
  }
}

function runOnce() {
  // Where nothing can be written, nothing can be locked either; then the minute is still sent.
  if (!takeLock() && folderWritable()) return EXIT_BUSY;
  loadState();
  var problem = loadConfig();
  state.config_error = problem;
  if (problem !== "") {
    // last_run stays: when the configuration is mended, the minutes until then are known as missed.
    saveState();
    return EXIT_CONFIG;
  }
  return tellMinute(utcSeconds());
}

function tellMinute(now) {
  var lines = "";
  var interval = Number(config.interval_minutes);
  if (state.last_run !== "") {
    var last = secondsOf(state.last_run);
    // Already told: started twice, or by hand. A clock set back by less than half a minute looks the same.
    if (isTooSoon(now - last, interval)) return EXIT_OK;
    lines = gapLines(now, last, interval);
  }
  var user = consoleUser();
  if (user === null) {
    state.console = "";
    lines += told(now, "", interval, "unknown", wmiError);
  } else if (user === "") {
    state.console = "";
    lines += withoutConsole(now, interval);
  } else {
    state.console = printable(user);
    if (whyIgnored(user) !== "") lines += told(now, loginOf(user), interval, "ignored", whyIgnored(user));
    else lines += sendMinute(now, loginOf(user), interval);
  }
  return putDown(now, lines);
}

// Nobody is at the console; who works over Remote Desktop, or has switched to somebody else and gone, is elsewhere.
function withoutConsole(now, interval) {
  var sessions = openSessions();
  if (sessions === null) return told(now, "", interval, "unknown", wmiError);
  if (sessions > 0) return told(now, "", interval, "elsewhere", sessions + " sessions and nobody at the console");
  return told(now, "", interval, "nobody", "");
}

// Write journal and state; the exit status.
function putDown(now, lines) {
  var known = state.journal_error;
  state.journal_error = appendToJournal(now, lines);
  if (!saveState()) {
    tellEventLog("state.ini can't be written in " + folder);
    return EXIT_JOURNAL;
  }
  if (state.journal_error !== "" && known === "") tellEventLog(state.journal_error);
  return state.journal_error === "" ? EXIT_OK : EXIT_JOURNAL;
}


// --- Minutes and what became of them ---------------------------------------------------------------------------------

function isTooSoon(elapsed, interval) {
  return elapsed >= 0 && elapsed < interval * 30;
}

// What happened since the last run, as journal lines: nothing, a gap, or a clock that went back.
function gapLines(now, last, interval) {
  if (now < last) return told(now, "", 0, "clock_back", (last - now) + " s");
  if (now - last < interval * 90) return "";
  closeSession();
  var missed = missedMinutes(now, last, interval);
  return missed > 0 ? told(now, "", missed, "missed", "") : "";
}

// How many minutes the agent should have run since the last run; while the PC was off it should not.
function missedMinutes(now, last, interval) {
  var boot = bootSeconds();
  // A start that lies ahead was noted by a clock that has been set since: it says nothing.
  var since = boot > last && boot <= now ? boot : last;
  return Math.max(0, (Math.floor((now - since) / (60 * interval) + 0.5) - 1) * interval);
}

// Send this minute, and with it those that this person may still have counted; the journal lines.
function sendMinute(now, user, interval) {
  if (state.session_login !== printable(user)) closeSession();
  var late = takeLateMinutes(user);
  var answer = ask("POST", trackerQuery(user, interval + late), trackerCode);
  var result = resultOf(answer);
  var detail = detailOf(answer, result);
  noteServerClock(answer);
  var lines = "";
  if (result === "sent" && late > 0) lines = told(now, user, late, "caught_up", detail);
  lines += told(now, user, interval, result, detail);
  if (result === "sent") {
    if (config.catch_up === "report") addTo("catchable_minutes", Number(state.pending_minutes));
    clearPending();
  } else if (result === "unsure" || (result === "unsent" && mayHaveCounted(detail))) {
    // PPMS may have counted all that was asked for, without telling: those minutes can't be sent again.
    clearPending();
  } else if (config.catch_up !== "off") {
    addTo("pending_minutes", late);
    if (result === "unsent") addTo("pending_minutes", interval);
    // The tracker knows no time of day: more than this would be counted too far from when it was.
    limitPending();
    state.pending_login = printable(user);
  }
  return lines;
}

// The minutes to send late with this one. They are struck from the state first: whatever happens now, not twice.
function takeLateMinutes(user) {
  if (state.pending_login !== printable(user) || config.catch_up === "off") clearPending();
  if (config.catch_up !== "send") return 0;
  limitPending();
  var late = Number(state.pending_minutes);
  clearPending();
  return late > 0 && saveState() ? late : 0;
}

function limitPending() {
  var limit = Number(config.catch_up_limit_minutes);
  if (Number(state.pending_minutes) > limit) state.pending_minutes = String(limit);
}

function clearPending() {
  state.pending_minutes = "0";
  state.pending_login = "";
}

// The person has gone, or nobody knows: what was not sent stays unsent.
function closeSession() {
  clearPending();
  state.session_login = "";
  state.session_start = "";
}

// Note one result in the state and return its journal line.
function told(now, user, minutes, result, detail) {
  var login = printable(user);
  account(timeText(now), login, minutes, result, detail);
  return [timeText(now), login, minutes, result, detail].join(",") + "\r\n";
}

// What one journal line means for the state; also how the state is rebuilt from the journal.
function account(stamp, login, minutes, result, detail) {
  state.last_run = stamp;
  state.login = login;
  state.last_result = result;
  state.last_detail = detail;
  switch (result) {
    case "sent":
      state.last_sent = stamp;
      break;
    case "unsent":
      addTo("unsent_minutes", minutes);
      break;
    case "caught_up":
      addTo("unsent_minutes", -minutes);
      break;
    case "refused":
      addTo("refused_minutes", minutes);
      break;
    case "missed":
      addTo("missed_minutes", minutes);
      break;
    case "unknown":
      addTo("unknown_minutes", minutes);
      break;
    case "unsure":
      addTo("unsure_minutes", minutes);
      break;
    case "elsewhere":
      addTo("elsewhere_minutes", minutes);
      break;
  }
  switch (result) {
    case "sent":
    case "unsent":
    case "caught_up":
    case "refused":
    case "unsure":
      if (state.session_login !== login) {
        state.session_login = login;
        state.session_start = stamp;
      }
      break;
    default:
      closeSession();
  }
}

function addTo(counter, minutes) {
  state[counter] = String(Number(state[counter]) + minutes);
}


// --- Who sits at the console -----------------------------------------------------------------------------------------

// DOMAIN\user, "" for nobody, null when Windows doesn't tell (then wmiError says why).
function consoleUser() {
  return wmiValue("Win32_ComputerSystem", "UserName");
}

// In how many sessions somebody has a desktop, wherever they sit; null when Windows doesn't tell. Everybody may ask this,
// while the name of somebody in another session is not told to LOCAL SERVICE.
function openSessions() {
  var seen = {};
  var count = 0;
  try {
    var found = wmiServices().ExecQuery("SELECT SessionId FROM Win32_Process WHERE Name = 'explorer.exe'");
    for (var items = new Enumerator(found); !items.atEnd(); items.moveNext()) {
      var id = "session " + items.item().Properties_.Item("SessionId").Value;
      if (!seen[id]) count++;
      seen[id] = true;
    }
  } catch (error) {
    wmiError = "wmi " + hex(error.number);
    return null;
  }
  return count;
}

// When Windows started, in seconds; -1 when it doesn't tell.
function bootSeconds() {
  // 20261123063000.500000+060: local time and its distance from UTC in minutes.
  var parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.\d{6}([+-]\d{3})$/.exec(
    wmiValue("Win32_OperatingSystem", "LastBootUpTime") || "");
  if (!parts) return -1;
  return secondsFrom(parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]) - Number(parts[7]) * 60;
}

function wmiServices() {
  // 128: give up after two minutes instead of never.
  return new ActiveXObject("WbemScripting.SWbemLocator").ConnectServer(".", "root\\cimv2", "", "", "", "", 128);
}

// A property of a class that has one object: its text, "" when it is empty, null when WMI fails.
function wmiValue(className, propertyName) {
  var value = null;
  try {
    var found = wmiServices().ExecQuery("SELECT " + propertyName + " FROM " + className);
    for (var items = new Enumerator(found); !items.atEnd(); items.moveNext()) {
      value = items.item().Properties_.Item(propertyName).Value;
      value = value == null ? "" : String(value);
    }
    if (value === null) wmiError = "wmi empty";
  } catch (error) {
    value = null;
    wmiError = "wmi " + hex(error.number);
  }
  return value;
}

// What the tracker is told, by the site's rule.
function loginOf(user) {
  return config.login_rule === "without_domain" ? nameIn(user).toLowerCase() : user;
}

// Why this user's time is not counted, or "".
function whyIgnored(user) {
  if (isListed(nameIn(user), config.ignored_logins) || isListed(user, config.ignored_logins)) return "login is ignored";
  if (config.domains !== "" && !isListed(domainIn(user), config.domains)) {
    return "domain is not counted: " + printable(domainIn(user));
  }
  return "";
}

// Windows says IMAGING\aadler; some say aadler@imaging.example.org.
function nameIn(user) {
  if (user.indexOf("\\") >= 0) return user.substring(user.indexOf("\\") + 1);
  if (user.indexOf("@") >= 0) return user.substring(0, user.indexOf("@"));
  return user;
}

function domainIn(user) {
  if (user.indexOf("\\") >= 0) return user.substring(0, user.indexOf("\\"));
  if (user.indexOf("@") >= 0) return user.substring(user.indexOf("@") + 1);
  return "";
}

function isListed(name, list) {
  var entries = list.split(",");
  for (var i = 0; i < entries.length; i++) {
    var entry = trim(entries[i]);
    if (entry !== "" && entry.toLowerCase() === name.toLowerCase()) return true;
  }
  return false;
}


// --- The tracker -----------------------------------------------------------------------------------------------------

function trackerQuery(user, minutes) {
  return config.tracker_url + "?i=" + config.system_id + "&u=" + urlEncoded(user) + "&f=" + minutes;
}

// One request; what came of it: error ("" or what failed), status, text, date (the server's).
function ask(method, url, body) {
  var answer = { error: "", status: 0, text: "", date: "" };
  var request = new ActiveXObject("WinHttp.WinHttpRequest.5.1");
  try {
    // Asynchronous: only WaitForResponse limits the whole, however slowly a server drips.
    useProxy(request);
    request.Open(method, url, true);
    useProxy(request);
    request.SetTimeouts(2000, 3000, 2000, 5000);
    // Option 6: follow no redirect, it would carry the code to somebody else.
    request.Option(6) = false;
    if (body !== "") request.SetRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.Send(body);
    if (!request.WaitForResponse(7)) answer.error = "timeout";
  } catch (error) {
    answer.error = failureName(error.number & 65535);
  }
  if (answer.error !== "") {
    try { request.Abort(); } catch (error) { /* It has ended. */ }
    return answer;
  }
  try { answer.status = request.Status; } catch (error) { /* 0 is no success. */ }
  try { answer.text = request.ResponseText; } catch (error) { /* Not text: judged by its status. */ }
  try { answer.date = request.GetResponseHeader("Date"); } catch (error) { /* Not every server says. */ }
  return answer;
}

// Before Open as Microsoft shows it, and after, since not every WinHTTP remembers it. Without it the machine's own
// proxy is used.
function useProxy(request) {
  if (config.proxy === "direct") request.SetProxy(1);
  if (config.proxy.indexOf(":") > 0) request.SetProxy(2, config.proxy);
}

// WinHTTP's error numbers in words.
function failureName(number) {
  switch (number) {
    case 12007:
      return "dns";
    case 12029:
      return "refused-connection";
    case 12002: case 10060:
      return "timeout";
    case 12030: case 12152:
      return "connection-lost";
    case 12037: case 12038: case 12044: case 12045: case 12057: case 12157: case 12169: case 12170: case 12171:
    case 12175: case 12179:
      return "tls";
    default:
      return "error " + number;
  }
}

function resultOf(answer) {
  if (answer.status < 200 || answer.status > 299) return "unsent";
  // PPMS says no with status 200.
  if (/^\s*error/i.test(answer.text)) return "refused";
  // A page to log in, or one about maintenance, comes with status 200, too.
  return isListed(answerText(answer), config.tracker_answers) ? "sent" : "unsure";
}

// What the tracker said, as it stands in journal, state and configuration.
function answerText(answer) {
  return trim(safeText(withoutCode(answer.text)).substring(0, 80)) || NO_TEXT;
}

function detailOf(answer, result) {
  if (result === "refused") return answerText(answer);
  return answer.error !== "" ? answer.error : "http " + answer.status + ": " + answerText(answer);
}

// Whether PPMS may have counted the minute although it said nothing: only an answer, or no connection, is sure.
function mayHaveCounted(detail) {
  // The tracker is a script: whatever fails after it has counted is a status of 5xx.
  return /^(timeout|connection-lost|error \d+|http 5\d\d:.*)$/.test(detail);
}

function noteServerClock(answer) {
  var server = httpDateSeconds(answer.date);
  state.server_clock_difference = server >= 0 ? String(utcSeconds() - server) : "";
}

// A server may repeat the code in what it complains about.
function withoutCode(text) {
  var literally = trackerCode.replace(/[^A-Za-z0-9]/g, "\\$&");
  return text.replace(new RegExp(literally, "gi"), "***");
}


// --- Configuration ---------------------------------------------------------------------------------------------------

// Read ppms-agent.ini and tracker.code; what is wrong with them, or "".
function loadConfig() {
  config = {};
  var patterns = {};
  expect(patterns, "tracker_url", /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/[^\s?#]*$/, "");
  expect(patterns, "system_id", /^\d{1,9}$/, "");
  expect(patterns, "interval_minutes", /^([1-9]|[1-5]\d|60)$/, "1");
  expect(patterns, "login_rule", /^(without_domain|with_domain)$/, "without_domain");
  expect(patterns, "domains", /^/, "");
  expect(patterns, "ignored_logins", /^/, "");
  expect(patterns, "tracker_answers", /^[\x20-\x7e]+$/, "OK");
  expect(patterns, "catch_up", /^(off|report|send)$/, "off");
  expect(patterns, "catch_up_limit_minutes", /^\d{1,3}$/, "15");
  expect(patterns, "proxy", /^(direct|[A-Za-z0-9.-]+:\d{1,5})?$/, "");
  expect(patterns, "journal_days", /^[1-9]\d{0,3}$/, "35");

  var text = fileText(inFolder("ppms-agent.ini"));
  var unknown = "";
  var lines = text.replace(/\r/g, "").split("\n");
  for (var i = 0; i < lines.length; i++) {
    var line = trim(lines[i]);
    if (line === "" || line.charAt(0) === ";") continue;
    var key = trim(beforeEquals(line)).toLowerCase();
    if (patterns[key]) config[key] = trim(afterEquals(line));
    else unknown += " " + safeText(key);
  }
  state.config_warning = unknown !== "" ? "unknown keys:" + unknown : "";
  return configProblem(patterns, text);
}

function expect(patterns, key, pattern, usual) {
  patterns[key] = pattern;
  config[key] = usual;
}

function configProblem(patterns, text) {
  var problem = "";
  trackerCode = trim(firstLine(fileText(inFolder("tracker.code"))));
  if (trackerCode === "") problem = "tracker.code: missing or empty";
  for (var key in patterns) {
    if (patterns[key].test(config[key])) continue;
    problem = config[key] === "" ? key + ": missing" : key + ": not valid: " + safeText(config[key]);
  }
  return text === "" ? "ppms-agent.ini: missing or empty" : problem;
}


// --- The journal -----------------------------------------------------------------------------------------------------

// Append lines to the day's file; what went wrong, or "".
function appendToJournal(now, lines) {
  try {
    if (!fso.FolderExists(inFolder("journal"))) fso.CreateFolder(inFolder("journal"));
    var path = journalPath(dayText(now) + ".csv");
    var isNew = fileSize(path) <= 0;
    if (isNew) lines = JOURNAL_HEADER + "\r\n" + lines;
    // The power went while a line was written: don't join the next one to it.
    else if (!/\n$/.test(fileText(path))) lines = "\r\n" + lines;
    var stream = fso.OpenTextFile(path, FOR_APPENDING, true);
    stream.Write(lines);
    stream.Close();
  } catch (error) {
    return "journal can't be written: " + hex(error.number);
  }
  if (isNew) dropOldJournals(now, state.journal_file);
  state.journal_file = dayText(now) + ".csv";
  state.journal_size = String(fileSize(path));
  return "";
}

// Two files a day at most, and not the last one: a clock that runs years ahead for a while must not take the journal
// with it.
function dropOldJournals(now, last) {
  try {
    for (var turn = 1; turn <= 2; turn++) {
      var oldest = nextJournal("");
      if (oldest < dayText(now - Number(config.journal_days) * 86400) && oldest !== last) {
        fso.DeleteFile(journalPath(oldest));
      }
    }
  } catch (error) { /* Open in somebody's Excel; tomorrow, then. */ }
}

function isJournalName(name) {
  return /^\d{4}-\d\d-\d\d\.csv$/.test(name);
}

function journalPath(name) {
  return fso.BuildPath(inFolder("journal"), name);
}


// --- The state -------------------------------------------------------------------------------------------------------

function stateKeys() {
  var keys = "version,engine,last_run,console,login,last_result,last_detail,last_sent,unsent_minutes," +
    "refused_minutes,missed_minutes,unknown_minutes,unsure_minutes,elsewhere_minutes,pending_minutes,pending_login,catchable_minutes,session_login," +
    "session_start,server_clock_difference,config_error,config_warning,journal_error,journal_file,journal_size";
  return keys.split(",");
}

// state.new is there only when it could not be put in place, so it is the newer one.
function loadState() {
  state = {};
  var keys = stateKeys();
  for (var i = 0; i < keys.length; i++) state[keys[i]] = /_minutes$/.test(keys[i]) ? "0" : "";
  if (!readState("state.new") && !readState("state.ini")) rebuildState();
  state.version = VERSION;
  state.engine = ENGINE;
  // A line that was journalled, while the state of that run could not be kept.
  if (state.journal_file !== "") replayJournal(state.journal_file, Number(state.journal_size));
}

// True when the file was whole.
function readState(name) {
  var text = fileText(inFolder(name)).replace(/\r/g, "");
  if (!/\ncomplete=yes\n$/.test(text)) return false;
  var lines = text.split("\n");
  for (var i = 0; i < lines.length; i++) {
    var key = beforeEquals(lines[i]);
    if (typeof state[key] === "string") state[key] = afterEquals(lines[i]);
  }
  return true;
}

// Write state.new whole, then put it in place; false when it can't be written.
function saveState() {
  var text = "";
  var keys = stateKeys();
  for (var i = 0; i < keys.length; i++) text += keys[i] + "=" + state[keys[i]] + "\r\n";
  try {
    var stream = fso.CreateTextFile(inFolder("state.new"), true);
    stream.Write(text + "complete=yes\r\n");
    stream.Close();
  } catch (error) {
    return false;
  }
  try {
    if (fso.FileExists(inFolder("state.ini"))) fso.DeleteFile(inFolder("state.ini"));
    fso.MoveFile(inFolder("state.new"), inFolder("state.ini"));
  } catch (error) { /* Somebody reads it: state.new counts until the next run. */ }
  return true;
}

// From the journal, as far as it goes. What a person may still have counted is not in it, so nothing is.
function rebuildState() {
  for (var name = nextJournal(""); name !== ""; name = nextJournal(name)) replayJournal(name, 0);
}

// The name that follows in the order of days, or "". Windows keeps no order that can be relied on.
function nextJournal(after) {
  var next = "";
  if (!fso.FolderExists(inFolder("journal"))) return next;
  for (var files = new Enumerator(fso.GetFolder(inFolder("journal")).Files); !files.atEnd(); files.moveNext()) {
    var name = files.item().Name;
    if (isJournalName(name) && name > after && (next === "" || name < next)) next = name;
  }
  return next;
}

// Account for the whole lines of a journal file after its first `size` bytes.
function replayJournal(name, size) {
  if (fileSize(journalPath(name)) <= size) return;
  var lines = fileText(journalPath(name)).substring(size).split("\r\n");
  for (var i = 0; i < lines.length; i++) {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,[^,]*,\d+,[a-z_]+,[^,]*$/.test(lines[i])) continue;
    var fields = lines[i].split(",");
    account(fields[0], fields[1], Number(fields[2]), fields[3], fields[4]);
  }
}


// --- Files -----------------------------------------------------------------------------------------------------------

// Held, not written: Windows lets go of it when the run ends, however it ends, so that none is ever left behind.
function takeLock() {
  try {
    lockFile = fso.OpenTextFile(inFolder("agent.lock"), FOR_APPENDING, true);
    return true;
  } catch (error) {
    return false;
  }
}

function folderWritable() {
  try {
    fso.CreateTextFile(inFolder("agent.probe"), true).Close();
    fso.DeleteFile(inFolder("agent.probe"));
    return true;
  } catch (error) {
    return false;
  }
}

function inFolder(name) {
  return fso.BuildPath(folder, name);
}

// The text of a file; "" when it can't be read.
function fileText(path) {
  var text = "";
  try {
    var stream = fso.OpenTextFile(path, FOR_READING);
    if (!stream.AtEndOfStream) text = stream.ReadAll();
    stream.Close();
  } catch (error) { /* As if it were empty. */ }
  return text;
}

// In bytes; -1 when it is not there.
function fileSize(path) {
  return fso.FileExists(path) ? fso.GetFile(path).Size : -1;
}

function tellEventLog(text) {
  try { shell.LogEvent(1, "PPMS agent: " + text); } catch (error) { /* There is nobody else to tell. */ }
}


// --- Time ------------------------------------------------------------------------------------------------------------

// Seconds since 1970 in UTC. JScript's clock is UTC; the twin has more to do.
function utcSeconds() {
  return Math.floor(new Date().getTime() / 1000);
}

function secondsFrom(years, months, days, hours, minutes, seconds) {
  var days1970 = Date.UTC(Number(years), Number(months) - 1, Number(days)) / 86400000;
  return days1970 * 86400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

// 2026-11-23T18:22:07Z
function secondsOf(text) {
  return secondsFrom(text.substr(0, 4), text.substr(5, 2), text.substr(8, 2), text.substr(11, 2), text.substr(14, 2),
    text.substr(17, 2));
}

// Mon, 23 Nov 2026 18:22:07 GMT; -1 when it is not that. Windows' own conversion would expect the user's language.
function httpDateSeconds(text) {
  var parts = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/.exec(text);
  if (!parts) return -1;
  var place = "JanFebMarAprMayJunJulAugSepOctNovDec".indexOf(parts[2]);
  if (place < 0) return -1;
  return secondsFrom(parts[3], place / 3 + 1, parts[1], parts[4], parts[5], parts[6]);
}

function timeText(seconds) {
  var rest = seconds % 86400;
  return dayText(seconds) + "T" + twoDigits(Math.floor(rest / 3600)) + ":" + twoDigits(Math.floor(rest / 60) % 60) +
    ":" + twoDigits(rest % 60) + "Z";
}

function dayText(seconds) {
  var moment = new Date(seconds * 1000);
  return moment.getUTCFullYear() + "-" + twoDigits(moment.getUTCMonth() + 1) + "-" + twoDigits(moment.getUTCDate());
}

function twoDigits(number) {
  return ("0" + number).slice(-2);
}


// --- Text ------------------------------------------------------------------------------------------------------------

function trim(text) {
  return text.replace(/^\s+|\s+$/g, "");
}

function hex(number) {
  return ((number < 0 ? number + 4294967296 : number).toString(16)).toUpperCase();
}

function beforeEquals(line) {
  return line.indexOf("=") >= 0 ? line.substring(0, line.indexOf("=")) : line;
}

function afterEquals(line) {
  return line.indexOf("=") >= 0 ? line.substring(line.indexOf("=") + 1) : "";
}

function firstLine(text) {
  return text.split(/\r|\n/)[0];
}

// Somebody else's text as one field of a line of the journal or the state: printable ASCII without comma and quotes.
function safeText(text) {
  return trim(text.replace(/[\s,"]+/g, " ")).replace(/[^\x20-\x7e]/g, "?");
}

// A login as it stands in journal and state: what is not plain ASCII as in a URL, so that no code page matters.
function printable(text) {
  return encoded(text, /[ !#-$&-+\--~]/);
}

function urlEncoded(text) {
  return encoded(text, /[A-Za-z0-9_.!~*'()-]/);
}

// Each character that doesn't fit `kept` as the %XX of its UTF-8 bytes; two halves of one beyond 65535 go together.
function encoded(text, kept) {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g, function (character) {
    return kept.test(character) ? character : encodeURIComponent(character);
  });
}


// --- /check ----------------------------------------------------------------------------------------------------------

function check() {
  // For config_warning only; nothing of it is written.
  loadState();
  var problem = loadConfig();
  WScript.Echo("version=" + VERSION);
  WScript.Echo("engine=" + ENGINE);
  WScript.Echo("config=" + (problem === "" ? "ok" : problem));
  if (state.config_warning !== "") WScript.Echo("warning=" + state.config_warning);
  WScript.Echo("tracker=" + trackerCheck(problem));
  var user = consoleUser();
  WScript.Echo("console=" + printable(user || ""));
  var sessions = openSessions();
  WScript.Echo("sessions=" + (sessions === null ? "unknown: " + wmiError : sessions));
  WScript.Echo("user=" + userCheck(problem, user));
}

// Without parameters and without the code: nothing is counted by it.
function trackerCheck(problem) {
  if (problem !== "") return "not asked";
  var answer = ask("GET", config.tracker_url, "");
  if (answer.error !== "") return answer.error;
  return answer.status >= 500 ? "http " + answer.status : "reachable";
}

function userCheck(problem, user) {
  if (problem !== "") return "not decided";
  if (user === null) return "unknown: " + wmiError;
  if (user === "") return "nobody";
  if (whyIgnored(user) !== "") return "ignored: " + whyIgnored(user);
  return printable(loginOf(user));
}
