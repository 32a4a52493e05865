' SPDX-License-Identifier: GPL-3.0-or-later
'
' PPMS agent: tells the PPMS tracker once a minute who sits at this PC's console, and keeps a journal of every minute.
'
' Windows Task Scheduler runs it each minute as LOCAL SERVICE. Its twin ppms-agent.js does the same in JScript, in the
' same order, for PCs whose VBScript is off: change both. Windows 7 to 11; only what Windows itself brings.
'
'   (no argument)   one minute; ends with 0 journalled, 1 fault in the agent, 2 configuration broken,
'                   3 journal can't be written, 4 another run is still at work
'   /version        one line
'   /check          tells configuration, tracker and console user; changes nothing
'
' Rules that everything below obeys: a minute is never sent twice; nobody's minute is sent for somebody else; times are
' UTC; the tracker code appears nowhere but in the request to the tracker.

Option Explicit

Const VERSION = "1.0"
Const ENGINE = "vbscript"

Const EXIT_OK = 0
Const EXIT_FAULT = 1
Const EXIT_CONFIG = 2
Const EXIT_JOURNAL = 3
Const EXIT_BUSY = 4

Const JOURNAL_HEADER = "time_utc,login,minutes,result,detail"

Const FOR_READING = 1
Const FOR_APPENDING = 8

' A text of these, in the configuration, stands for an answer without any text.
Const NO_TEXT = "(empty)"

Dim Fso, Shell, Folder, Config, TrackerCode, State, WmiError, LockFile
Set Fso = CreateObject("Scripting.FileSystemObject")
Set Shell = CreateObject("WScript.Shell")
Folder = Fso.GetParentFolderName(WScript.ScriptFullName)

Dim ExitCode
ExitCode = EXIT_FAULT
On Error Resume Next
ExitCode = Main()
If Err.Number <> 0 Then TellEventLog "fault " & Err.Number & ": " & Err.Description
WScript.Quit ExitCode


' --- What to do ------------------------------------------------------------------------------------------------------

Function Main()
  Dim wish
  wish = ""
  If WScript.Arguments.Count > 0 Then wish = LCase(WScript.Arguments(0))
  Select Case wish
    Case ""
      Main = RunOnce()
    Case "/version"
      WScript.Echo "ppms-agent " & VERSION & " " & ENGINE
      Main = EXIT_OK
    Case "/check"
      Check
      Main = EXIT_OK
    Case Else
      WScript.Echo "usage: ppms-agent.vbs [/version | /check]"
      Main = EXIT_FAULT
  End Select
End Function

Function RunOnce()
  Dim problem
  ' Where nothing can be written, nothing can be locked either; then the minute is still sent.
  If Not TakeLock() And FolderWritable() Then
    RunOnce = EXIT_BUSY
    Exit Function
  End If
  LoadState
  problem = LoadConfig()
  State("config_error") = problem
  If problem <> "" Then
    ' last_run stays: when the configuration is mended, the minutes until then are known as missed.
    SaveState
    RunOnce = EXIT_CONFIG
    Exit Function
  End If
  RunOnce = TellMinute(UtcSeconds())
End Function

Function TellMinute(now)
  Dim lines, user, interval, console
  lines = ""
  interval = CDbl(Config("interval_minutes"))
  If State("last_run") <> "" Then
    ' Already told: started twice, or by hand. A clock set back by less than half a minute looks the same.
    If IsTooSoon(now - SecondsOf(State("last_run")), interval) Then
      TellMinute = EXIT_OK
      Exit Function
    End If
    lines = GapLines(now, SecondsOf(State("last_run")), interval)
  End If
  console = ConsoleUser()
  If IsNull(console) Then
    State("console") = ""
    lines = lines & Told(now, "", interval, "unknown", WmiError)
  ElseIf console = "" Then
    State("console") = ""
    lines = lines & WithoutConsole(now, interval)
  Else
    State("console") = Printable(console)
    user = LoginOf(console)
    If WhyIgnored(console) <> "" Then
      lines = lines & Told(now, user, interval, "ignored", WhyIgnored(console))
    Else
      lines = lines & SendMinute(now, user, interval)
    End If
  End If
  TellMinute = PutDown(now, lines)
End Function

' Nobody is at the console; who works over Remote Desktop, or has switched to somebody else and gone, is elsewhere.
Function WithoutConsole(now, interval)
  Dim sessions
  sessions = OpenSessions()
  If IsNull(sessions) Then
    WithoutConsole = Told(now, "", interval, "unknown", WmiError)
  ElseIf sessions > 0 Then
    WithoutConsole = Told(now, "", interval, "elsewhere", sessions & " sessions and nobody at the console")
  Else
    WithoutConsole = Told(now, "", interval, "nobody", "")
  End If
End Function

' Write journal and state; the exit status.
Function PutDown(now, lines)
  Dim known
  known = State("journal_error")
  State("journal_error") = AppendToJournal(now, lines)
  PutDown = EXIT_OK
  If State("journal_error") <> "" Then PutDown = EXIT_JOURNAL
  If Not SaveState() Then
    PutDown = EXIT_JOURNAL
    TellEventLog "state.ini can't be written in " & Folder
  ElseIf State("journal_error") <> "" And known = "" Then
    TellEventLog State("journal_error")
  End If
End Function


' --- Minutes and what became of them ---------------------------------------------------------------------------------

Function IsTooSoon(elapsed, interval)
  IsTooSoon = (elapsed >= 0 And elapsed < interval * 30)
End Function

' What happened since the last run, as journal lines: nothing, a gap, or a clock that went back.
Function GapLines(now, last, interval)
  Dim missed
  GapLines = ""
  If now < last Then
    GapLines = Told(now, "", 0, "clock_back", CStr(last - now) & " s")
  ElseIf now - last >= interval * 90 Then
    CloseSession
    missed = MissedMinutes(now, last, interval)
    If missed > 0 Then GapLines = Told(now, "", missed, "missed", "")
  End If
End Function

' How many minutes the agent should have run since the last run; while the PC was off it should not.
Function MissedMinutes(now, last, interval)
  Dim boot, since
  since = last
  boot = BootSeconds()
  ' A start that lies ahead was noted by a clock that has been set since: it says nothing.
  If boot > last And boot <= now Then since = boot
  MissedMinutes = (Int((now - since) / (60 * interval) + 0.5) - 1) * interval
  If MissedMinutes < 0 Then MissedMinutes = 0
End Function

' Send this minute, and with it those that this person may still have counted; the journal lines.
Function SendMinute(now, user, interval)
  Dim late, answer, result, detail
  If State("session_login") <> Printable(user) Then CloseSession
  late = TakeLateMinutes(user)
  Set answer = Ask("POST", TrackerQuery(user, interval + late), TrackerCode)
  result = ResultOf(answer)
  detail = DetailOf(answer, result)
  NoteServerClock answer
  SendMinute = ""
  If result = "sent" And late > 0 Then SendMinute = Told(now, user, late, "caught_up", detail)
  SendMinute = SendMinute & Told(now, user, interval, result, detail)
  If result = "sent" Then
    If Config("catch_up") = "report" Then AddTo "catchable_minutes", CDbl(State("pending_minutes"))
    ClearPending
  ElseIf result = "unsure" Or (result = "unsent" And MayHaveCounted(detail)) Then
    ' PPMS may have counted all that was asked for, without telling: those minutes can't be sent again.
    ClearPending
  ElseIf Config("catch_up") <> "off" Then
    AddTo "pending_minutes", late
    If result = "unsent" Then AddTo "pending_minutes", interval
    ' The tracker knows no time of day: more than this would be counted too far from when it was.
    LimitPending
    State("pending_login") = Printable(user)
  End If
End Function

' The minutes to send late with this one. They are struck from the state first: whatever happens now, not twice.
Function TakeLateMinutes(user)
  Dim late
  TakeLateMinutes = 0
  If State("pending_login") <> Printable(user) Or Config("catch_up") = "off" Then ClearPending
  If Config("catch_up") <> "send" Then Exit Function
  LimitPending
  late = CDbl(State("pending_minutes"))
  ClearPending
  If late > 0 Then
    If SaveState() Then TakeLateMinutes = late
  End If
End Function

Sub LimitPending()
  If CDbl(State("pending_minutes")) > CDbl(Config("catch_up_limit_minutes")) Then
    State("pending_minutes") = CStr(CDbl(Config("catch_up_limit_minutes")))
  End If
End Sub

Sub ClearPending()
  State("pending_minutes") = "0"
  State("pending_login") = ""
End Sub

' The person has gone, or nobody knows: what was not sent stays unsent.
Sub CloseSession()
  ClearPending
  State("session_login") = ""
  State("session_start") = ""
End Sub

' Note one result in the state and return its journal line.
Function Told(now, user, minutes, result, detail)
  Dim login
  login = Printable(user)
  Account TimeText(now), login, minutes, result, detail
  Told = TimeText(now) & "," & login & "," & CStr(minutes) & "," & result & "," & detail & vbCrLf
End Function

' What one journal line means for the state; also how the state is rebuilt from the journal.
Sub Account(stamp, login, minutes, result, detail)
  State("last_run") = stamp
  State("login") = login
  State("last_result") = result
  State("last_detail") = detail
  Select Case result
    Case "sent"
      State("last_sent") = stamp
    Case "unsent"
      AddTo "unsent_minutes", minutes
    Case "caught_up"
      AddTo "unsent_minutes", -minutes
    Case "refused"
      AddTo "refused_minutes", minutes
    Case "missed"
      AddTo "missed_minutes", minutes
    Case "unknown"
      AddTo "unknown_minutes", minutes
    Case "unsure"
      AddTo "unsure_minutes", minutes
    Case "elsewhere"
      AddTo "elsewhere_minutes", minutes
  End Select
  Select Case result
    Case "sent", "unsent", "caught_up", "refused", "unsure"
      If State("session_login") <> login Then
        State("session_login") = login
        State("session_start") = stamp
      End If
    Case Else
      CloseSession
  End Select
End Sub

Sub AddTo(counter, minutes)
  State(counter) = CStr(CDbl(State(counter)) + minutes)
End Sub


' --- Who sits at the console -----------------------------------------------------------------------------------------

' DOMAIN\user, "" for nobody, Null when Windows doesn't tell (then WmiError says why).
Function ConsoleUser()
  ConsoleUser = WmiValue("Win32_ComputerSystem", "UserName")
End Function

' In how many sessions somebody has a desktop, wherever they sit; Null when Windows doesn't tell. Everybody may ask this,
' while the name of somebody in another session is not told to LOCAL SERVICE.
Function OpenSessions()
  Dim found, item, seen, id
  OpenSessions = Null
  Set seen = CreateObject("Scripting.Dictionary")
  On Error Resume Next
  Set found = WmiServices().ExecQuery("SELECT SessionId FROM Win32_Process WHERE Name = 'explorer.exe'")
  If Err.Number = 0 Then
    For Each item In found
      id = item.Properties_.Item("SessionId").Value & ""
      If Err.Number = 0 Then seen(id) = True
    Next
  End If
  If Err.Number <> 0 Then
    WmiError = "wmi " & Hex(Err.Number)
  Else
    OpenSessions = seen.Count
  End If
End Function

' When Windows started, in seconds; -1 when it doesn't tell.
Function BootSeconds()
  Dim text, minutes
  text = WmiValue("Win32_OperatingSystem", "LastBootUpTime")
  BootSeconds = -1
  If IsNull(text) Then Exit Function
  ' 20261123063000.500000+060: local time and its distance from UTC in minutes.
  If Not Matches(text, "^\d{14}\.\d{6}[+-]\d{3}$") Then Exit Function
  minutes = CDbl(Right(text, 3))
  If Mid(text, 22, 1) = "-" Then minutes = -minutes
  BootSeconds = SecondsFrom(Left(text, 4), Mid(text, 5, 2), Mid(text, 7, 2), Mid(text, 9, 2), Mid(text, 11, 2), _
    Mid(text, 13, 2)) - minutes * 60
End Function

Function WmiServices()
  ' 128: give up after two minutes instead of never.
  Set WmiServices = CreateObject("WbemScripting.SWbemLocator").ConnectServer(".", "root\cimv2", "", "", "", "", 128)
End Function

' A property of a class that has one object: its text, "" when it is empty, Null when WMI fails.
Function WmiValue(className, propertyName)
  Dim services, found, item
  WmiValue = Null
  On Error Resume Next
  Set services = WmiServices()
  If Err.Number = 0 Then Set found = services.ExecQuery("SELECT " & propertyName & " FROM " & className)
  If Err.Number = 0 Then
    For Each item In found
      ' Null & "" is "".
      WmiValue = item.Properties_.Item(propertyName).Value & ""
    Next
  End If
  If Err.Number <> 0 Then
    WmiValue = Null
    WmiError = "wmi " & Hex(Err.Number)
  ElseIf IsNull(WmiValue) Then
    WmiError = "wmi empty"
  End If
End Function

' What the tracker is told, by the site's rule.
Function LoginOf(console)
  LoginOf = console
  If Config("login_rule") = "without_domain" Then LoginOf = LCase(NameIn(console))
End Function

' Why this user's time is not counted, or "".
Function WhyIgnored(console)
  WhyIgnored = ""
  If IsListed(NameIn(console), Config("ignored_logins")) Or IsListed(console, Config("ignored_logins")) Then
    WhyIgnored = "login is ignored"
  ElseIf Config("domains") <> "" And Not IsListed(DomainIn(console), Config("domains")) Then
    WhyIgnored = "domain is not counted: " & Printable(DomainIn(console))
  End If
End Function

' Windows says IMAGING\aadler; some say aadler@imaging.example.org.
Function NameIn(console)
  NameIn = console
  If InStr(console, "\") > 0 Then
    NameIn = Mid(console, InStr(console, "\") + 1)
  ElseIf InStr(console, "@") > 0 Then
    NameIn = Left(console, InStr(console, "@") - 1)
  End If
End Function

Function DomainIn(console)
  DomainIn = ""
  If InStr(console, "\") > 0 Then
    DomainIn = Left(console, InStr(console, "\") - 1)
  ElseIf InStr(console, "@") > 0 Then
    DomainIn = Mid(console, InStr(console, "@") + 1)
  End If
End Function

Function IsListed(name, list)
  Dim entry
  IsListed = False
  For Each entry In Split(list, ",")
    If LCase(Trim(entry)) = LCase(name) And Trim(entry) <> "" Then IsListed = True
  Next
End Function


' --- The tracker -----------------------------------------------------------------------------------------------------

Function TrackerQuery(user, minutes)
  TrackerQuery = Config("tracker_url") & "?i=" & Config("system_id") & "&u=" & UrlEncoded(user) & _
    "&f=" & CStr(minutes)
End Function

' One request; what came of it: error ("" or what failed), status, text, date (the server's).
Function Ask(method, url, body)
  Dim answer, request
  Set answer = CreateObject("Scripting.Dictionary")
  answer("error") = ""
  answer("status") = 0
  answer("text") = ""
  answer("date") = ""
  Set Ask = answer
  On Error Resume Next
  Set request = CreateObject("WinHttp.WinHttpRequest.5.1")
  ' Asynchronous: only WaitForResponse limits the whole, however slowly a server drips.
  UseProxy request
  request.Open method, url, True
  UseProxy request
  request.SetTimeouts 2000, 3000, 2000, 5000
  ' Option 6: follow no redirect, it would carry the code to somebody else.
  request.Option(6) = False
  If body <> "" Then request.SetRequestHeader "Content-Type", "application/x-www-form-urlencoded"
  request.Send body
  If Err.Number = 0 Then
    If Not request.WaitForResponse(CLng(7)) And Err.Number = 0 Then answer("error") = "timeout"
  End If
  If Err.Number <> 0 Then answer("error") = FailureName(Err.Number And 65535)
  Err.Clear
  If answer("error") = "" Then
    answer("status") = request.Status
    answer("text") = request.ResponseText
    Err.Clear
    answer("date") = request.GetResponseHeader("Date")
  Else
    request.Abort
  End If
  Err.Clear
End Function

' Before Open as Microsoft shows it, and after, since not every WinHTTP remembers it. Without it the machine's own proxy
' is used.
Sub UseProxy(request)
  If Config("proxy") = "direct" Then request.SetProxy 1
  If InStr(Config("proxy"), ":") > 0 Then request.SetProxy 2, Config("proxy")
End Sub

' WinHTTP's error numbers in words.
Function FailureName(number)
  Select Case number
    Case 12007
      FailureName = "dns"
    Case 12029
      FailureName = "refused-connection"
    Case 12002, 10060
      FailureName = "timeout"
    Case 12030, 12152
      FailureName = "connection-lost"
    Case 12037, 12038, 12044, 12045, 12057, 12157, 12169, 12170, 12171, 12175, 12179
      FailureName = "tls"
    Case Else
      FailureName = "error " & number
  End Select
End Function

Function ResultOf(answer)
  ResultOf = "unsent"
  If answer("status") >= 200 And answer("status") <= 299 Then
    ' A page to log in, or one about maintenance, comes with status 200, too.
    ResultOf = "unsure"
    If IsListed(AnswerText(answer), Config("tracker_answers")) Then ResultOf = "sent"
    ' PPMS says no with status 200.
    If Matches(LCase(answer("text")), "^\s*error") Then ResultOf = "refused"
  End If
End Function

' What the tracker said, as it stands in journal, state and configuration.
Function AnswerText(answer)
  AnswerText = Trim(Left(SafeText(WithoutCode(answer("text"))), 80))
  If AnswerText = "" Then AnswerText = NO_TEXT
End Function

Function DetailOf(answer, result)
  DetailOf = "http " & answer("status") & ": " & AnswerText(answer)
  If answer("error") <> "" Then DetailOf = answer("error")
  If result = "refused" Then DetailOf = AnswerText(answer)
End Function

' Whether PPMS may have counted the minute although it said nothing: only an answer, or no connection, is sure.
Function MayHaveCounted(detail)
  ' The tracker is a script: whatever fails after it has counted is a status of 5xx.
  MayHaveCounted = Matches(detail, "^(timeout|connection-lost|error \d+|http 5\d\d:.*)$")
End Function

Sub NoteServerClock(answer)
  Dim server
  server = HttpDateSeconds(answer("date"))
  State("server_clock_difference") = ""
  If server >= 0 Then State("server_clock_difference") = CStr(UtcSeconds() - server)
End Sub

' A server may repeat the code in what it complains about.
Function WithoutCode(text)
  WithoutCode = Replace(text, TrackerCode, "***", 1, -1, 1)
End Function


' --- Configuration ---------------------------------------------------------------------------------------------------

' Read ppms-agent.ini and tracker.code; what is wrong with them, or "".
Function LoadConfig()
  Dim patterns, text, line, key, unknown
  Set Config = CreateObject("Scripting.Dictionary")
  Set patterns = CreateObject("Scripting.Dictionary")
  Expect patterns, "tracker_url", "^https://[A-Za-z0-9.-]+(:\d{1,5})?/[^\s?#]*$", ""
  Expect patterns, "system_id", "^\d{1,9}$", ""
  Expect patterns, "interval_minutes", "^([1-9]|[1-5]\d|60)$", "1"
  Expect patterns, "login_rule", "^(without_domain|with_domain)$", "without_domain"
  Expect patterns, "domains", "", ""
  Expect patterns, "ignored_logins", "", ""
  Expect patterns, "tracker_answers", "^[\x20-\x7e]+$", "OK"
  Expect patterns, "catch_up", "^(off|report|send)$", "off"
  Expect patterns, "catch_up_limit_minutes", "^\d{1,3}$", "15"
  Expect patterns, "proxy", "^(direct|[A-Za-z0-9.-]+:\d{1,5})?$", ""
  Expect patterns, "journal_days", "^[1-9]\d{0,3}$", "35"

  text = FileText(InFolder("ppms-agent.ini"))
  unknown = ""
  For Each line In Split(Replace(text, vbCr, ""), vbLf)
    line = Trim(line)
    If line <> "" And Left(line, 1) <> ";" Then
      key = LCase(Trim(BeforeEquals(line)))
      If patterns.Exists(key) Then
        Config(key) = Trim(AfterEquals(line))
      Else
        unknown = unknown & " " & SafeText(key)
      End If
    End If
  Next
  State("config_warning") = ""
  If unknown <> "" Then State("config_warning") = "unknown keys:" & unknown
  LoadConfig = ConfigProblem(patterns, text)
End Function

Sub Expect(patterns, key, pattern, usual)
  patterns(key) = pattern
  Config(key) = usual
End Sub

Function ConfigProblem(patterns, text)
  Dim key
  ConfigProblem = ""
  TrackerCode = Trim(FirstLine(FileText(InFolder("tracker.code"))))
  If TrackerCode = "" Then ConfigProblem = "tracker.code: missing or empty"
  For Each key In patterns.Keys
    If Not Matches(Config(key), patterns(key)) Then
      ConfigProblem = key & ": not valid: " & SafeText(Config(key))
      If Config(key) = "" Then ConfigProblem = key & ": missing"
    End If
  Next
  If text = "" Then ConfigProblem = "ppms-agent.ini: missing or empty"
End Function


' --- The journal -----------------------------------------------------------------------------------------------------

' Append lines to the day's file; what went wrong, or "".
Function AppendToJournal(now, lines)
  Dim path, stream, isNew
  AppendToJournal = ""
  On Error Resume Next
  If Not Fso.FolderExists(InFolder("journal")) Then Fso.CreateFolder InFolder("journal")
  path = JournalPath(DayText(now) & ".csv")
  isNew = (FileSize(path) <= 0)
  If isNew Then
    lines = JOURNAL_HEADER & vbCrLf & lines
  ElseIf Right(FileText(path), 1) <> vbLf Then
    ' The power went while a line was written: don't join the next one to it.
    lines = vbCrLf & lines
  End If
  Set stream = Fso.OpenTextFile(path, FOR_APPENDING, True)
  If Err.Number = 0 Then stream.Write lines
  If Err.Number = 0 Then stream.Close
  If Err.Number <> 0 Then
    AppendToJournal = "journal can't be written: " & Hex(Err.Number)
  Else
    If isNew Then DropOldJournals now, State("journal_file")
    State("journal_file") = DayText(now) & ".csv"
    State("journal_size") = CStr(FileSize(path))
  End If
End Function

' Two files a day at most, and not the last one: a clock that runs years ahead for a while must not take the journal
' with it.
Sub DropOldJournals(now, last)
  Dim turn, oldest
  On Error Resume Next
  For turn = 1 To 2
    oldest = NextJournal("")
    If oldest < DayText(now - CDbl(Config("journal_days")) * 86400) And oldest <> last Then
      Fso.DeleteFile JournalPath(oldest)
    End If
  Next
End Sub

Function IsJournalName(name)
  IsJournalName = Matches(name, "^\d{4}-\d\d-\d\d\.csv$")
End Function

Function JournalPath(name)
  JournalPath = Fso.BuildPath(InFolder("journal"), name)
End Function


' --- The state -------------------------------------------------------------------------------------------------------

Function StateKeys()
  StateKeys = Split("version,engine,last_run,console,login,last_result,last_detail,last_sent,unsent_minutes," & _
    "refused_minutes,missed_minutes,unknown_minutes,unsure_minutes,elsewhere_minutes,pending_minutes,pending_login,catchable_minutes,session_login," & _
    "session_start,server_clock_difference,config_error,config_warning,journal_error,journal_file,journal_size", ",")
End Function

' state.new is there only when it could not be put in place, so it is the newer one.
Sub LoadState()
  Dim key
  Set State = CreateObject("Scripting.Dictionary")
  For Each key In StateKeys()
    State(key) = ""
    If Matches(key, "_minutes$") Then State(key) = "0"
  Next
  If Not ReadState("state.new") Then
    If Not ReadState("state.ini") Then
      RebuildState
    End If
  End If
  State("version") = VERSION
  State("engine") = ENGINE
  ' A line that was journalled, while the state of that run could not be kept.
  If State("journal_file") <> "" Then ReplayJournal State("journal_file"), CDbl(State("journal_size"))
End Sub

' True when the file was whole.
Function ReadState(name)
  Dim text, line
  text = Replace(FileText(InFolder(name)), vbCr, "")
  ReadState = (Right(text, 14) = vbLf & "complete=yes" & vbLf)
  If Not ReadState Then Exit Function
  For Each line In Split(text, vbLf)
    If State.Exists(BeforeEquals(line)) Then State(BeforeEquals(line)) = AfterEquals(line)
  Next
End Function

' Write state.new whole, then put it in place; false when it can't be written.
Function SaveState()
  Dim text, key, stream, temporary, final
  text = ""
  For Each key In StateKeys()
    text = text & key & "=" & State(key) & vbCrLf
  Next
  temporary = InFolder("state.new")
  final = InFolder("state.ini")
  On Error Resume Next
  Set stream = Fso.CreateTextFile(temporary, True)
  If Err.Number = 0 Then stream.Write text & "complete=yes" & vbCrLf
  If Err.Number = 0 Then stream.Close
  SaveState = (Err.Number = 0)
  If SaveState Then
    If Fso.FileExists(final) Then Fso.DeleteFile final
    If Err.Number = 0 Then Fso.MoveFile temporary, final
  End If
End Function

' From the journal, as far as it goes. What a person may still have counted is not in it, so nothing is.
Sub RebuildState()
  Dim name
  name = NextJournal("")
  Do While name <> ""
    ReplayJournal name, 0
    name = NextJournal(name)
  Loop
End Sub

' The name that follows in the order of days, or "". Windows keeps no order that can be relied on.
Function NextJournal(after)
  Dim file
  NextJournal = ""
  If Not Fso.FolderExists(InFolder("journal")) Then Exit Function
  For Each file In Fso.GetFolder(InFolder("journal")).Files
    If IsJournalName(file.Name) And file.Name > after Then
      If NextJournal = "" Or file.Name < NextJournal Then NextJournal = file.Name
    End If
  Next
End Function

' Account for the whole lines of a journal file after its first `size` bytes.
Sub ReplayJournal(name, size)
  Dim text, line, fields
  If FileSize(JournalPath(name)) <= size Then Exit Sub
  text = FileText(JournalPath(name))
  For Each line In Split(Mid(text, size + 1), vbCrLf)
    If Matches(line, "^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,[^,]*,\d+,[a-z_]+,[^,]*$") Then
      fields = Split(line, ",")
      Account fields(0), fields(1), CDbl(fields(2)), fields(3), fields(4)
    End If
  Next
End Sub


' --- Files -----------------------------------------------------------------------------------------------------------

' Held, not written: Windows lets go of it when the run ends, however it ends, so that none is ever left behind.
Function TakeLock()
  On Error Resume Next
  Set LockFile = Fso.OpenTextFile(InFolder("agent.lock"), FOR_APPENDING, True)
  TakeLock = (Err.Number = 0)
End Function

Function FolderWritable()
  Dim path
  path = InFolder("agent.probe")
  On Error Resume Next
  Fso.CreateTextFile(path, True).Close
  FolderWritable = (Err.Number = 0)
  Fso.DeleteFile path
End Function

Function InFolder(name)
  InFolder = Fso.BuildPath(Folder, name)
End Function

' The text of a file; "" when it can't be read.
Function FileText(path)
  Dim stream
  FileText = ""
  On Error Resume Next
  Set stream = Fso.OpenTextFile(path, FOR_READING)
  If Err.Number = 0 Then
    If Not stream.AtEndOfStream Then FileText = stream.ReadAll
    stream.Close
  End If
End Function

' In bytes; -1 when it is not there.
Function FileSize(path)
  FileSize = -1
  On Error Resume Next
  If Fso.FileExists(path) Then FileSize = CDbl(Fso.GetFile(path).Size)
End Function

Sub TellEventLog(text)
  On Error Resume Next
  Shell.LogEvent 1, "PPMS agent: " & text
End Sub


' --- Time ------------------------------------------------------------------------------------------------------------

' Seconds since 1970 in UTC. VBScript knows local time only, of which one hour comes twice in autumn; Windows keeps the
' offset that is in force in the registry. Read twice until they agree: the offset may change in between.
Function UtcSeconds()
  Dim before, tries
  UtcSeconds = UtcReading()
  For tries = 1 To 20
    before = UtcSeconds
    WScript.Sleep 20
    UtcSeconds = UtcReading()
    If UtcSeconds >= before And UtcSeconds - before < 60 Then Exit For
  Next
End Function

Function UtcReading()
  Dim bias
  bias = CDbl(Shell.RegRead("HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation\ActiveTimeBias"))
  ' An unsigned reading of a negative number.
  If bias > 2147483647 Then bias = bias - 4294967296
  UtcReading = Round((CDbl(Now) - 25569) * 86400) + bias * 60
End Function

Function SecondsFrom(years, months, days, hours, minutes, seconds)
  Dim days1970
  days1970 = CDbl(DateSerial(CLng(years), CLng(months), CLng(days))) - 25569
  SecondsFrom = days1970 * 86400 + CDbl(hours) * 3600 + CDbl(minutes) * 60 + CDbl(seconds)
End Function

' 2026-11-23T18:22:07Z
Function SecondsOf(text)
  SecondsOf = SecondsFrom(Left(text, 4), Mid(text, 6, 2), Mid(text, 9, 2), Mid(text, 12, 2), Mid(text, 15, 2), _
    Mid(text, 18, 2))
End Function

' Mon, 23 Nov 2026 18:22:07 GMT; -1 when it is not that. Windows' own conversion would expect the user's language.
Function HttpDateSeconds(text)
  Dim place
  HttpDateSeconds = -1
  If Not Matches(text, "^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT") Then Exit Function
  place = InStr("JanFebMarAprMayJunJulAugSepOctNovDec", Mid(text, 9, 3))
  If place = 0 Then Exit Function
  HttpDateSeconds = SecondsFrom(Mid(text, 13, 4), (place + 2) / 3, Mid(text, 6, 2), Mid(text, 18, 2), _
    Mid(text, 21, 2), Mid(text, 24, 2))
End Function

Function TimeText(seconds)
  Dim rest
  rest = seconds - Int(seconds / 86400) * 86400
  TimeText = DayText(seconds) & "T" & TwoDigits(rest \ 3600) & ":" & TwoDigits((rest \ 60) Mod 60) & ":" & _
    TwoDigits(rest Mod 60) & "Z"
End Function

Function DayText(seconds)
  Dim moment
  moment = CDate(25569 + Int(seconds / 86400))
  DayText = Year(moment) & "-" & TwoDigits(Month(moment)) & "-" & TwoDigits(Day(moment))
End Function

Function TwoDigits(number)
  TwoDigits = Right("0" & CStr(number), 2)
End Function


' --- Text ------------------------------------------------------------------------------------------------------------

Function Matches(text, pattern)
  Dim expression
  Set expression = New RegExp
  expression.Pattern = pattern
  Matches = expression.Test(text)
End Function

Function BeforeEquals(line)
  BeforeEquals = line
  If InStr(line, "=") > 0 Then BeforeEquals = Left(line, InStr(line, "=") - 1)
End Function

Function AfterEquals(line)
  AfterEquals = ""
  If InStr(line, "=") > 0 Then AfterEquals = Mid(line, InStr(line, "=") + 1)
End Function

Function FirstLine(text)
  FirstLine = Replace(text, vbCr, vbLf)
  If InStr(FirstLine, vbLf) > 0 Then FirstLine = Left(FirstLine, InStr(FirstLine, vbLf) - 1)
End Function

' Somebody else's text as one field of a line of the journal or the state: printable ASCII without comma and quotes.
Function SafeText(text)
  Dim expression
  Set expression = New RegExp
  expression.Global = True
  expression.Pattern = "[\s,""]+"
  SafeText = Trim(expression.Replace(text, " "))
  expression.Pattern = "[^\x20-\x7e]"
  SafeText = expression.Replace(SafeText, "?")
End Function

' A login as it stands in journal and state: what is not plain ASCII as in a URL, so that no code page matters.
Function Printable(text)
  Printable = Encoded(text, "[ !#-$&-+\--~]")
End Function

Function UrlEncoded(text)
  UrlEncoded = Encoded(text, "[A-Za-z0-9_.!~*'()-]")
End Function

' Each character that doesn't fit `kept` as the %XX of its UTF-8 bytes.
Function Encoded(text, kept)
  Dim expression, place, character, code
  Set expression = New RegExp
  expression.Pattern = kept
  Encoded = ""
  place = 1
  Do While place <= Len(text)
    character = Mid(text, place, 1)
    If expression.Test(character) Then
      Encoded = Encoded & character
    Else
      code = CodeOf(character)
      If code >= 55296 And code <= 56319 And place < Len(text) Then
        ' Two halves of a character beyond 65535.
        place = place + 1
        code = 65536 + (code - 55296) * 1024 + CodeOf(Mid(text, place, 1)) - 56320
      End If
      Encoded = Encoded & PercentUtf8(code)
    End If
    place = place + 1
  Loop
End Function

' A character's number. AscW would tell, but not everywhere that this must run; asking for ever smaller ranges does.
Function CodeOf(character)
  Dim expression, low, high, middle
  Set expression = New RegExp
  low = 0
  high = 65535
  Do While low < high
    middle = Int((low + high) / 2)
    expression.Pattern = "[\u" & FourHex(low) & "-\u" & FourHex(middle) & "]"
    If expression.Test(character) Then
      high = middle
    Else
      low = middle + 1
    End If
  Loop
  CodeOf = low
End Function

Function FourHex(number)
  FourHex = Right("000" & Hex(number), 4)
End Function

Function PercentUtf8(code)
  If code < 128 Then
    PercentUtf8 = Percent(code)
  ElseIf code < 2048 Then
    PercentUtf8 = Percent(192 + Int(code / 64)) & Percent(128 + code Mod 64)
  ElseIf code < 65536 Then
    PercentUtf8 = Percent(224 + Int(code / 4096)) & Percent(128 + Int(code / 64) Mod 64) & Percent(128 + code Mod 64)
  Else
    PercentUtf8 = Percent(240 + Int(code / 262144)) & Percent(128 + Int(code / 4096) Mod 64) & _
      Percent(128 + Int(code / 64) Mod 64) & Percent(128 + code Mod 64)
  End If
End Function

Function Percent(byteValue)
  Percent = "%" & Right("0" & Hex(byteValue), 2)
End Function


' --- /check ----------------------------------------------------------------------------------------------------------

Sub Check()
  Dim problem, console, sessions
  ' For config_warning only; nothing of it is written.
  LoadState
  problem = LoadConfig()
  WScript.Echo "version=" & VERSION
  WScript.Echo "engine=" & ENGINE
  If problem = "" Then
    WScript.Echo "config=ok"
  Else
    WScript.Echo "config=" & problem
  End If
  If State("config_warning") <> "" Then WScript.Echo "warning=" & State("config_warning")
  WScript.Echo "tracker=" & TrackerCheck(problem)
  console = ConsoleUser()
  WScript.Echo "console=" & Printable(console & "")
  sessions = OpenSessions()
  If IsNull(sessions) Then sessions = "unknown: " & WmiError
  WScript.Echo "sessions=" & sessions
  WScript.Echo "user=" & UserCheck(problem, console)
End Sub

' Without parameters and without the code: nothing is counted by it.
Function TrackerCheck(problem)
  Dim answer
  TrackerCheck = "not asked"
  If problem <> "" Then Exit Function
  Set answer = Ask("GET", Config("tracker_url"), "")
  TrackerCheck = answer("error")
  If answer("error") = "" Then
    TrackerCheck = "reachable"
    If answer("status") >= 500 Then TrackerCheck = "http " & answer("status")
  End If
End Function

Function UserCheck(problem, console)
  If problem <> "" Then
    UserCheck = "not decided"
  ElseIf IsNull(console) Then
    UserCheck = "unknown: " & WmiError
  ElseIf console = "" Then
    UserCheck = "nobody"
  ElseIf WhyIgnored(console) <> "" Then
    UserCheck = "ignored: " & WhyIgnored(console)
  Else
    UserCheck = Printable(LoginOf(console))
  End If
End Function
