// First contact: the account that manages this PC is an administrator whose password does not expire.
// Called by enable-winrm.cmd with the account's name. Groups are found by SID, for their names are translated.
var NEVER_EXPIRES = 0x10000; // ADS_UF_DONT_EXPIRE_PASSWD

var account = WScript.Arguments(0);
var computer = new ActiveXObject("WScript.Network").ComputerName;

var user = GetObject("WinNT://" + computer + "/" + account + ",user");
user.Put("userFlags", user.Get("userFlags") | NEVER_EXPIRES);
user.SetInfo();

var found = GetObject("winmgmts:").ExecQuery("SELECT Name FROM Win32_Group WHERE LocalAccount = TRUE AND SID = 'S-1-5-32-544'");
var administrators = GetObject("WinNT://" + computer + "/" + new Enumerator(found).item().Name + ",group");
if (!administrators.IsMember(user.ADsPath)) {
  administrators.Add(user.ADsPath);
}
WScript.Echo("done");
