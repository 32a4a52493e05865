/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Run one Windows command line exactly as it is written.

   Wine's loader builds a program's command line from Unix arguments and turns each quotation mark into \", so a line for
   cmd.exe can't be given that way. This program reads it from a file. Its one argument is a folder, as Windows path:
     line      the command line, UTF-16
     folder    the working directory, UTF-16; may be missing
     codepage  the console's code page as a decimal number, UTF-16; may be missing
     variables environment variables, a line NAME=VALUE each, UTF-16; may be missing. Wine takes TEMP from its registry,
               and USERNAME from Unix, whatever stands in the Unix environment
     code      written at the end: the exit code in decimal. A Unix exit status has 8 bits, a Windows exit code 32.
   Everything that the line starts belongs to one job, which ends with this program: killing it kills the tree. */

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static WCHAR *content(const WCHAR *folder, const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    HANDLE file;
    DWORD size, got = 0;
    WCHAR *text;

    _snwprintf(path, MAX_PATH, L"%s\\%s", folder, name);
    file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return NULL;
    size = GetFileSize(file, NULL);
    text = calloc(size + sizeof(WCHAR), 1);
    ReadFile(file, text, size, &got, NULL);
    CloseHandle(file);
    return text;
}

static void set_variables(WCHAR *text)
{
    while (text && *text)
    {
        WCHAR *name = text, *value = wcschr(name, '='), *end = wcschr(name, '\n');
        text = end ? end + 1 : NULL;
        if (end) *end = 0;
        if (!value) continue;
        *value++ = 0;
        SetEnvironmentVariableW(name, *value ? value : NULL);
    }
}

static void leave(const WCHAR *folder, DWORD code)
{
    WCHAR path[MAX_PATH];
    char text[16];
    DWORD written;
    HANDLE file;

    _snwprintf(path, MAX_PATH, L"%s\\code", folder);
    file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file != INVALID_HANDLE_VALUE)
    {
        WriteFile(file, text, sprintf(text, "%lu", code), &written, NULL);
        CloseHandle(file);
    }
    ExitProcess(code);
}

int wmain(int argc, WCHAR **argv)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    STARTUPINFOW start = {sizeof(start)};
    PROCESS_INFORMATION child;
    WCHAR *line, *page;
    DWORD code = 1;
    HANDLE job;

    if (argc != 2 || !(line = content(argv[1], L"line"))) return 2;
    if ((page = content(argv[1], L"codepage")))
    {
        AllocConsole();
        SetConsoleOutputCP(_wtoi(page));
        SetConsoleCP(_wtoi(page));
    }
    set_variables(content(argv[1], L"variables"));
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
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, content(argv[1], L"folder"), &start, &child))
        leave(argv[1], GetLastError());
    AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    leave(argv[1], code);
    return 0;
}
