// SPDX-License-Identifier: GPL-3.0-or-later
// Who is in this PC's groups Users and Administrators, and changes to Users. The facility's deployment runs it (module
// device_pc_logon) and takes it away again. For Windows Script Host, in JScript, which every Windows has.
//
// Arguments: +SID becomes a member of Users, -SID is one no more, ?SID is looked up. Names are translated and change, so
// everything goes by SID. It prints lines in ASCII, with text in escape()'s form:
//   @domain - NAME             the domain; without a name for a PC in a workgroup
//   @users SID PATH            a member: base64 of its objectSid, or ? when it has none, and its ADsPath
//   @administrators SID PATH
//   @known SID NAME            who that is
//   @failed SID CODE           that could not be added or removed, and Windows' code in hexadecimal
//   @fault CODE TEXT           the script ended early
//   @end - -
var USERS = "S-1-5-32-545";
var ADMINISTRATORS = "S-1-5-32-544";
// Windows' answers to what is so already: ERROR_MEMBER_IN_ALIAS and ERROR_MEMBER_NOT_IN_ALIAS.
var ALREADY = { "+": 0x80070562, "-": 0x80070561 };

var wmi;

function say(what, subject, text) {
  WScript.Echo("@" + what + " " + subject + " " + escape(text));
}

function code(error) {
  return error.number < 0 ? error.number + 0x100000000 : error.number;
}

// [domain, name]; null when neither the PC nor its domain knows the SID.
function account(sid) {
  try {
    var found = wmi.Get("Win32_SID.SID='" + sid + "'");
    return found.AccountName ? [found.ReferencedDomainName, found.AccountName] : null;
  } catch (unknown) {
    return null;
  }
}

function localGroup(sid) {
  return GetObject("WinNT://./" + account(sid)[1] + ",group");
}

// Script engines can't read bytes; XML's base64 can.
function base64(bytes) {
  var box = new ActiveXObject("Msxml2.DOMDocument.6.0").createElement("sid");
  box.dataType = "bin.base64";
  box.nodeTypedValue = bytes;
  return box.text.replace(/\s/g, "");
}

function list(what, group) {
  for (var members = new Enumerator(group.Members()); !members.atEnd(); members.moveNext()) {
    var member = members.item();
    var sid = "?";
    try {
      sid = base64(member.Get("objectSid"));
    } catch (none) {
    }
    say(what, sid, member.ADsPath);
  }
}

function change(group, how, sid) {
  try {
    if (how == "+") {
      group.Add("WinNT://" + sid);
    } else {
      group.Remove("WinNT://" + sid);
    }
  } catch (error) {
    if (code(error) != ALREADY[how]) {
      say("failed", sid, code(error).toString(16));
    }
  }
}

function main() {
  wmi = new ActiveXObject("WbemScripting.SWbemLocator").ConnectServer(".", "root\\cimv2");
  var users = localGroup(USERS);
  var i, argument;
  for (i = 0; i < WScript.Arguments.length; i++) {
    argument = WScript.Arguments(i);
    if (argument.charAt(0) != "?") {
      change(users, argument.charAt(0), argument.substr(1));
    }
  }
  var computers = new Enumerator(wmi.ExecQuery("SELECT Domain, DomainRole FROM Win32_ComputerSystem"));
  var computer = computers.item();
  // 1 and 3: a member, as a workstation or as a server. 0 and 2 stand alone; then Domain is the workgroup.
  say("domain", "-", computer.DomainRole == 1 || computer.DomainRole == 3 ? computer.Domain : "");
  list("users", localGroup(USERS));
  list("administrators", localGroup(ADMINISTRATORS));
  for (i = 0; i < WScript.Arguments.length; i++) {
    argument = WScript.Arguments(i);
    var found = argument.charAt(0) == "?" ? account(argument.substr(1)) : null;
    if (found) {
      say("known", argument.substr(1), found[0] + "\\" + found[1]);
    }
  }
}

try {
  main();
} catch (error) {
  say("fault", code(error).toString(16), error.message);
}
say("end", "-", "-");
