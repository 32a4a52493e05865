/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Windows tool that Wine lacks or only pretends to have: this program carries the call to the stand-in's service, which
   does the tool's work, and brings back what it prints and its exit code. Under which name it was built is what it is.

   Sent: three blocks (tool's name, working directory, command line), each a 32-bit length and UTF-8.
   Received: frames of a kind byte, a 32-bit length, content: 1 standard output and 2 standard error in UTF-8, 0 the exit
   code, 4 standard output as it is, 3 a wish for standard input, which is sent as one more block. */

#include <winsock2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TOOL
#error "build with -DTOOL=L\"name\""
#endif
#define PORT 5949
#define CANNOT_RUN 1

static int send_block(SOCKET service, const WCHAR *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL) - 1;
    char *bytes = malloc(size + 1);

    WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size + 1, NULL, NULL);
    return send(service, (char *)&size, 4, 0) == 4 && send(service, bytes, size, 0) == size;
}

static int receive(SOCKET service, char *buffer, int size)
{
    int got, done = 0;

    while (done < size)
    {
        if ((got = recv(service, buffer + done, size - done, 0)) <= 0) return 0;
        done += got;
    }
    return 1;
}

static int send_input(SOCKET service)
{
    char *bytes = NULL;
    DWORD got;
    int size = 0, room = 0, sent;

    do
    {
        if (room - size < 65536) bytes = realloc(bytes, room += 1 << 20);
        if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes + size, 65536, &got, NULL)) got = 0;
        size += got;
    } while (got);
    sent = send(service, (char *)&size, 4, 0) == 4 && (!size || send(service, bytes, size, 0) == size);
    free(bytes);
    return sent;
}

static void print(DWORD stream, const char *bytes, int size)
{
    /* Output leaves in the code page of the console, as that of Microsoft's tools does. */
    int wide = MultiByteToWideChar(CP_UTF8, 0, bytes, size, NULL, 0), narrow;
    WCHAR *text = malloc((wide + 1) * sizeof(WCHAR));
    char *out;
    DWORD written;

    MultiByteToWideChar(CP_UTF8, 0, bytes, size, text, wide);
    narrow = WideCharToMultiByte(CP_OEMCP, 0, text, wide, NULL, 0, NULL, NULL);
    out = malloc(narrow + 1);
    WideCharToMultiByte(CP_OEMCP, 0, text, wide, out, narrow, NULL, NULL);
    WriteFile(GetStdHandle(stream), out, narrow, &written, NULL);
    free(out);
    free(text);
}

int main(void)
{
    struct sockaddr_in address = {0};
    static WCHAR folder[32768];
    WSADATA data;
    SOCKET service;
    char kind, *text;
    DWORD written;
    int size;

    WSAStartup(MAKEWORD(2, 2), &data);
    service = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons(PORT);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(service, (struct sockaddr *)&address, sizeof(address)))
    {
        fprintf(stderr, "stand-in: device-pc-scheduler.service is not running\n");
        return CANNOT_RUN;
    }
    GetCurrentDirectoryW(32768, folder);
    if (!send_block(service, TOOL) || !send_block(service, folder) || !send_block(service, GetCommandLineW()))
        return CANNOT_RUN;
    while (receive(service, &kind, 1) && receive(service, (char *)&size, 4))
    {
        text = calloc(size + 1, 1);
        if (!receive(service, text, size)) break;
        if (kind == 0) ExitProcess((DWORD)strtoul(text, NULL, 10));
        if (kind == 3)
            send_input(service);
        else if (kind == 4)
            WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, size, &written, NULL);
        else
            print(kind == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE, text, size);
        free(text);
    }
    fprintf(stderr, "stand-in: the tool's service ended in the middle\n");
    return CANNOT_RUN;
}
