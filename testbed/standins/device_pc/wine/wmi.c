/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * WMI of a PC whose console user, start, domain and accounts are what the test bed says.
 *
 * Wine's WMI (wbemprox.dll) names the user that Wine runs as; a PC names who sits at its console, which a service sees
 * too. This DLL is registered as the WMI locator in wbemprox's place, hands out wbemprox's own objects, and replaces
 * one function of theirs: IWbemClassObject::Get, for four properties.
 *
 *   UserName (Win32_ComputerSystem)         /var/lib/device-pc/console: IMAGING\aadler, UTF-8; empty: nobody (null);
 *                                           no such file: WMI is broken (WBEM_E_PROVIDER_FAILURE); one that this account
 *                                           may not read: it is told nothing (null)
 *   SessionId (Win32_Process, explorer.exe) /var/lib/device-pc/sessions: numbers of sessions with a desktop, like "2 3";
 *                                           no such file: session 1 if somebody is at the console
 *   LastBootUpTime (Win32_OperatingSystem)  /var/lib/device-pc/boot: 20261123063000.000000+000; no such file: Wine's own
 *   Domain, DomainRole (Win32_ComputerSystem)  /var/lib/device-pc/domain: imaging.example.org, a member (1); empty or no
 *                                           such file: Wine's own, a workgroup (0)
 *
 * And wbemprox asks the service, not Wine, whose SID is whose (LsaLookupSids, for Win32_SID): Wine knows no domain's
 * accounts, and calls its own by English names.
 *
 * Everything else is Wine's answer. Programs need no branch: they ask WMI as they do on Windows.
 */
#define COBJMACROS
#define INITGUID
#include "service.h"
#include <ntsecapi.h>
#include <sddl.h>
#include <stdio.h>
#include <wbemcli.h>

#define CONSOLE_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\console"
#define SESSIONS_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\sessions"
#define MOST_SESSIONS 16
#define BOOT_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\boot"
#define DOMAIN_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\domain"
#define MEMBER_WORKSTATION 1
#define NONE_MAPPED ((NTSTATUS)0xC0000073)
#define TRUST_BROKEN ((NTSTATUS)0xC000018D) /* STATUS_TRUSTED_RELATIONSHIP_FAILURE */

typedef HRESULT (WINAPI *get_class_object_t)(REFCLSID, REFIID, void **);
typedef HRESULT (STDMETHODCALLTYPE *get_property_t)(IWbemClassObject *, LPCWSTR, LONG, VARIANT *, CIMTYPE *, LONG *);

typedef HRESULT (STDMETHODCALLTYPE *exec_query_t)(IWbemServices *, const BSTR, const BSTR, LONG, IWbemContext *,
                                                  IEnumWbemClassObject **);

static get_property_t wine_get_property;
static exec_query_t wine_exec_query;
static LONG sessions[MOST_SESSIONS];
static int session_count, session_rows;

/* The first line of a file as UTF-16, or -1 when it can't be read; GetLastError() says why. */
static int first_line(const WCHAR *path, WCHAR *line, int size)
{
    char bytes[512];
    DWORD length = 0;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return -1;
    if (!ReadFile(file, bytes, sizeof(bytes), &length, NULL)) length = 0;
    CloseHandle(file);
    for (DWORD i = 0; i < length; i++)
        if (bytes[i] == '\r' || bytes[i] == '\n') length = i;
    if (!length) return 0;
    size = MultiByteToWideChar(CP_UTF8, 0, bytes, length, line, size - 1);
    line[size] = 0;
    return size;
}

/* Who has a desktop, by session. */
static void find_sessions(void)
{
    WCHAR line[256], *text = line, *end;
    int length = first_line(SESSIONS_FILE, line, ARRAYSIZE(line));
    session_count = session_rows = 0;
    if (length < 0)
    {
        length = first_line(CONSOLE_FILE, line, ARRAYSIZE(line));
        if (length > 0 || (length < 0 && GetLastError() == ERROR_ACCESS_DENIED)) sessions[session_count++] = 1;
        return;
    }
    for (line[length] = 0; session_count < MOST_SESSIONS; text = end)
    {
        LONG number = wcstol(text, &end, 10);
        if (end == text) break;
        sessions[session_count++] = number;
    }
}

/* Wine has a desktop for itself. Any rows do: the first ones get the sessions, and those beyond say the last one again. */
static HRESULT STDMETHODCALLTYPE exec_query(IWbemServices *services, const BSTR language, const BSTR query, LONG flags,
                                            IWbemContext *context, IEnumWbemClassObject **rows)
{
    if (!wcsstr(query, L"explorer.exe")) return wine_exec_query(services, language, query, flags, context, rows);
    find_sessions();
    BSTR other = SysAllocString(session_count ? L"SELECT Handle FROM Win32_Process"
                                              : L"SELECT Handle FROM Win32_Process WHERE Name = 'nobody.exe'");
    HRESULT result = wine_exec_query(services, language, other, flags, context, rows);
    SysFreeString(other);
    return result;
}

static void string(LSA_UNICODE_STRING *target, const WCHAR *text)
{
    target->Length = lstrlenW(text) * sizeof(WCHAR);
    target->MaximumLength = target->Length + sizeof(WCHAR);
    target->Buffer = _wcsdup(text);
}

/* As LsaLookupSids for one SID, which is all that wbemprox asks for. Wine's LsaFreeMemory is HeapFree; the texts, which
   the real one keeps in the same block, stay until the script ends. */
static NTSTATUS WINAPI lookup_sids(LSA_HANDLE policy, ULONG count, PSID *sids, PLSA_REFERENCED_DOMAIN_LIST *domains,
                                   PLSA_TRANSLATED_NAME *names)
{
    WCHAR line[256], *text = NULL, *sid = NULL, *name;
    DWORD code;

    (void)policy, (void)count;
    if (!ConvertSidToStringSidW(sids[0], &sid)) return NONE_MAPPED;
    _snwprintf(line, ARRAYSIZE(line), L"adsi account \"%ls\"", sid);
    LocalFree(sid);
    code = service_ask(line, &text);
    name = text ? wcschr(text, '\t') : NULL;
    if (code || !name) return code == ERROR_TRUSTED_RELATIONSHIP_FAILURE ? TRUST_BROKEN : NONE_MAPPED;
    *name++ = 0;
    *domains = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(**domains) + sizeof(LSA_TRUST_INFORMATION));
    *names = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(**names));
    (*domains)->Entries = 1;
    (*domains)->Domains = (LSA_TRUST_INFORMATION *)(*domains + 1);
    string(&(*domains)->Domains[0].Name, text);
    (*names)->Use = SidTypeGroup;
    string(&(*names)->Name, name);
    return 0;
}

/* Put our function where a library keeps the address of one that it imports. */
static void import_ours(HMODULE library, const char *name, void *ours)
{
    BYTE *base = (BYTE *)library;
    IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    DWORD at = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress, before;
    IMAGE_IMPORT_DESCRIPTOR *from = (IMAGE_IMPORT_DESCRIPTOR *)(base + at);

    for (; at && from->Name; from++)
    {
        IMAGE_THUNK_DATA *named = (IMAGE_THUNK_DATA *)(base + from->OriginalFirstThunk);
        IMAGE_THUNK_DATA *slot = (IMAGE_THUNK_DATA *)(base + from->FirstThunk);
        for (; named->u1.AddressOfData; named++, slot++)
        {
            if (IMAGE_SNAP_BY_ORDINAL(named->u1.Ordinal)
                || strcmp((char *)((IMAGE_IMPORT_BY_NAME *)(base + named->u1.AddressOfData))->Name, name))
                continue;
            VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before);
            slot->u1.Function = (ULONG_PTR)ours;
            VirtualProtect(slot, sizeof(*slot), before, &before);
        }
    }
}

static HRESULT STDMETHODCALLTYPE get_property(IWbemClassObject *object, LPCWSTR name, LONG flags, VARIANT *value,
                                              CIMTYPE *type, LONG *flavor)
{
    WCHAR line[512];
    HRESULT result = wine_get_property(object, name, flags, value, type, flavor);
    BOOL is_role = !lstrcmpiW(name, L"DomainRole"), is_domain = is_role || !lstrcmpiW(name, L"Domain");
    BOOL is_user = !lstrcmpiW(name, L"UserName");
    if (value && session_count && !lstrcmpiW(name, L"SessionId"))
    {
        /* A script's Item("SessionId").Value asks twice. */
        int row = session_rows++ / 2;
        V_VT(value) = VT_I4;
        V_I4(value) = sessions[row < session_count ? row : session_count - 1];
        if (type) *type = CIM_UINT32;
        return S_OK;
    }
    if (SUCCEEDED(result) && value && is_domain)
    {
        if (first_line(DOMAIN_FILE, line, ARRAYSIZE(line) - 1) <= 0) return result;
        VariantClear(value);
        V_VT(value) = is_role ? VT_I4 : VT_BSTR;
        if (is_role) V_I4(value) = MEMBER_WORKSTATION;
        else V_BSTR(value) = SysAllocString(line);
        return result;
    }
    if (FAILED(result) || !value || (!is_user && lstrcmpiW(name, L"LastBootUpTime"))) return result;

    int length = first_line(is_user ? CONSOLE_FILE : BOOT_FILE, line, ARRAYSIZE(line));
    if (length < 0 && !is_user) return result;
    VariantClear(value);
    if (length < 0 && GetLastError() == ERROR_ACCESS_DENIED) length = 0;
    if (length < 0) return WBEM_E_PROVIDER_FAILURE;
    V_VT(value) = length ? VT_BSTR : VT_NULL;
    if (length) V_BSTR(value) = SysAllocStringLen(line, length);
    return result;
}

/* Put our function into the table that all of wbemprox's class objects share. */
static void take_over(IWbemClassObject *object)
{
    DWORD before;
    get_property_t *slot = (get_property_t *)&object->lpVtbl->Get;
    if (*slot == get_property) return;
    wine_get_property = *slot;
    VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before);
    *slot = get_property;
    VirtualProtect(slot, sizeof(*slot), before, &before);
}

static void take_over_queries(IWbemServices *services)
{
    DWORD before;
    exec_query_t *slot = (exec_query_t *)&services->lpVtbl->ExecQuery;
    if (*slot == exec_query) return;
    wine_exec_query = *slot;
    VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before);
    *slot = exec_query;
    VirtualProtect(slot, sizeof(*slot), before, &before);
}

/* The table is not exported; any object leads to it. */
static HRESULT reach_class_object(IClassFactory *factory)
{
    IWbemLocator *locator = NULL;
    IWbemServices *services = NULL;
    IEnumWbemClassObject *rows = NULL;
    IWbemClassObject *row = NULL;
    ULONG count = 0;
    BSTR namespace = SysAllocString(L"root\\cimv2"), language = SysAllocString(L"WQL");
    BSTR query = SysAllocString(L"SELECT UserName FROM Win32_ComputerSystem");

    HRESULT result = IClassFactory_CreateInstance(factory, NULL, &IID_IWbemLocator, (void **)&locator);
    if (SUCCEEDED(result))
        result = IWbemLocator_ConnectServer(locator, namespace, NULL, NULL, NULL, 0, NULL, NULL, &services);
    if (SUCCEEDED(result)) result = IWbemServices_ExecQuery(services, language, query, 0, NULL, &rows);
    if (SUCCEEDED(result)) result = IEnumWbemClassObject_Next(rows, WBEM_INFINITE, 1, &row, &count);
    if (SUCCEEDED(result) && count) take_over(row);
    if (SUCCEEDED(result)) take_over_queries(services);

    if (row) IWbemClassObject_Release(row);
    if (rows) IEnumWbemClassObject_Release(rows);
    if (services) IWbemServices_Release(services);
    if (locator) IWbemLocator_Release(locator);
    SysFreeString(namespace);
    SysFreeString(language);
    SysFreeString(query);
    return count ? S_OK : E_FAIL;
}

HRESULT WINAPI DllGetClassObject(REFCLSID class, REFIID wanted, void **object)
{
    IClassFactory *factory;
    HMODULE wbemprox = LoadLibraryW(L"wbemprox.dll");
    get_class_object_t get_class_object =
        wbemprox ? (get_class_object_t)(void *)GetProcAddress(wbemprox, "DllGetClassObject") : NULL;
    if (!get_class_object) return CLASS_E_CLASSNOTAVAILABLE;

    HRESULT result = get_class_object(class, &IID_IClassFactory, (void **)&factory);
    if (FAILED(result)) return result;
    /* Without it a program would see the wrong user: better no WMI at all. */
    if (!wine_get_property)
    {
        import_ours(wbemprox, "LsaLookupSids", lookup_sids);
        result = reach_class_object(factory);
    }
    if (SUCCEEDED(result)) result = IClassFactory_QueryInterface(factory, wanted, object);
    IClassFactory_Release(factory);
    return result;
}

HRESULT WINAPI DllCanUnloadNow(void)
{
    return S_FALSE; /* wbemprox's table points here */
}
