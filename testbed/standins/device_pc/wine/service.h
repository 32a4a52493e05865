/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ask the stand-in's service, as windows/tool.c does, from within a library: a line in, its text and its code out.
 */
#ifndef DEVICE_PC_SERVICE_H
#define DEVICE_PC_SERVICE_H

#include <winsock2.h>
#include <windows.h>
#include <stdlib.h>

#define SERVICE_PORT 5949
#define SERVICE_SILENT 1722 /* RPC_S_SERVER_UNAVAILABLE */

static int service_send(SOCKET service, const WCHAR *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL) - 1;
    char *bytes = malloc(size + 1);
    int sent;

    WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size + 1, NULL, NULL);
    sent = send(service, (char *)&size, 4, 0) == 4 && (!size || send(service, bytes, size, 0) == size);
    free(bytes);
    return sent;
}

static int service_receive(SOCKET service, char *buffer, int size)
{
    int got, done = 0;

    while (done < size)
    {
        if ((got = recv(service, buffer + done, size - done, 0)) <= 0) return 0;
        done += got;
    }
    return 1;
}

/* Returns Windows' error code, 0 for none; *text is the caller's to free, NULL when nothing was said. */
static DWORD service_ask(const WCHAR *line, WCHAR **text)
{
    struct sockaddr_in address = {0};
    DWORD code = SERVICE_SILENT;
    WSADATA data;
    SOCKET service;
    char kind, *bytes;
    int size, wide;

    *text = NULL;
    WSAStartup(MAKEWORD(2, 2), &data);
    service = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons(SERVICE_PORT);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!connect(service, (struct sockaddr *)&address, sizeof(address)) && service_send(service, L"adsi")
        && service_send(service, L"C:\\") && service_send(service, line))
    {
        while (service_receive(service, &kind, 1) && service_receive(service, (char *)&size, 4))
        {
            bytes = calloc(size + 1, 1);
            if (!service_receive(service, bytes, size))
            {
                free(bytes);
                break;
            }
            if (kind == 0) code = strtoul(bytes, NULL, 10);
            if (kind == 1 && !*text)
            {
                wide = MultiByteToWideChar(CP_UTF8, 0, bytes, -1, NULL, 0);
                *text = malloc(wide * sizeof(WCHAR));
                MultiByteToWideChar(CP_UTF8, 0, bytes, -1, *text, wide);
            }
            free(bytes);
            if (kind == 0) break;
        }
    }
    closesocket(service);
    return code;
}

#endif
