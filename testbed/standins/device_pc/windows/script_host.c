/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cscript.exe and wscript.exe with //E:ENGINE, which Wine's refuse. They take the engine from the script's extension, so
   a script of another name is copied to one that they understand; WScript.ScriptFullName is then the copy's. */

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
#include <shellapi.h>

#ifndef HOST
#error "build with -DHOST=L\"cscript\""
#endif
#define LONGEST 32768

static const struct { const WCHAR *name, *extension; } engines[] = {
    {L"VBScript", L".vbs"}, {L"JScript", L".js"}, {L"JavaScript", L".js"},
};

static const WCHAR *extension_of(const WCHAR *engine)
{
    for (int i = 0; i < (int)(sizeof(engines) / sizeof(*engines)); i++)
        if (!_wcsicmp(engine, engines[i].name)) return engines[i].extension;
    return NULL;
}

int wmain(void)
{
    static WCHAR line[LONGEST], system[MAX_PATH], copy[MAX_PATH];
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    STARTUPINFOW start = {sizeof(start)};
    PROCESS_INFORMATION child;
    const WCHAR *wanted = NULL;
    DWORD code = 1;
    HANDLE job;
    int count, script = 0, used;
    WCHAR **words = CommandLineToArgvW(GetCommandLineW(), &count);

    for (int i = 1; i < count; i++)
    {
        if (!_wcsnicmp(words[i], L"//E:", 4))
        {
            if (!(wanted = extension_of(words[i] + 4)))
            {
                fwprintf(stderr, L"Eingabefehler: Das Skriptmodul \"%ls\" wurde nicht gefunden.\n", words[i] + 4);
                return 1;
            }
        }
        else if (!script && wcsncmp(words[i], L"//", 2)) script = i;
    }
    if (script && wanted)
    {
        size_t length = wcslen(words[script]), tail = wcslen(wanted);
        if (length < tail || _wcsicmp(words[script] + length - tail, wanted))
        {
            /* Beside it, where nobody reads or writes who may not read or write the script itself. */
            _snwprintf(copy, MAX_PATH, L"%ls-%lu%ls", words[script], GetCurrentProcessId(), wanted);
            if (!CopyFileW(words[script], copy, FALSE))
            {
                fwprintf(stderr, L"Eingabefehler: Die Skriptdatei \"%ls\" wurde nicht gefunden.\n", words[script]);
                return 1;
            }
            words[script] = copy;
        }
    }
    GetSystemDirectoryW(system, MAX_PATH);
    used = _snwprintf(line, LONGEST, L"\"%ls\\wsh\\wine-%ls.exe\"", system, HOST);
    for (int i = 1; i < count; i++)
        if (_wcsnicmp(words[i], L"//E:", 4)) used += _snwprintf(line + used, LONGEST - used, L" \"%ls\"", words[i]);

    job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetHandleInformation(start.hStdInput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    if (CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &child))
    {
        AssignProcessToJobObject(job, child.hProcess);
        ResumeThread(child.hThread);
        WaitForSingleObject(child.hProcess, INFINITE);
        GetExitCodeProcess(child.hProcess, &code);
    }
    if (copy[0]) DeleteFileW(copy);
    return (int)code;
}
