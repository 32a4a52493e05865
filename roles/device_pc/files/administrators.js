// Print the name that this Windows gives to its group of administrators (S-1-5-32-544): it is translated.
var groups = GetObject("winmgmts:").ExecQuery("SELECT Name FROM Win32_Group WHERE SID = 'S-1-5-32-544'");
WScript.Echo(new Enumerator(groups).item().Name);
