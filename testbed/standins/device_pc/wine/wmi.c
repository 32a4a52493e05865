/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * WMI of a PC whose console user and start are what the test bed says.
 *
 * Wine's WMI (wbemprox.dll) names the user that Wine runs as; a PC names who sits at its console, which a service sees
 * too. This DLL is registered as the WMI locator in wbemprox's place, hands out wbemprox's own objects, and replaces
 * one function of theirs: IWbemClassObject::Get, for two properties.
 *
 *   UserName (Win32_ComputerSystem)         /var/lib/device-pc/console: IMAGING\aadler, UTF-8; empty: nobody (null);
 *                                           no such file: WMI is broken (WBEM_E_PROVIDER_FAILURE)
 *   LastBootUpTime (Win32_OperatingSystem)  /var/lib/device-pc/boot: 20261123063000.000000+000; no such file: Wine's own
 *
 * Everything else is Wine's answer. Programs need no branch: they ask WMI as they do on Windows.
 */
#define COBJMACROS
#define INITGUID
#include <windows.h>
#include <wbemcli.h>

#define CONSOLE_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\console"
#define BOOT_FILE L"\\\\?\\unix\\var\\lib\\device-pc\\boot"

typedef HRESULT (WINAPI *get_class_object_t)(REFCLSID, REFIID, void **);
typedef HRESULT (STDMETHODCALLTYPE *get_property_t)(IWbemClassObject *, LPCWSTR, LONG, VARIANT *, CIMTYPE *, LONG *);

static get_property_t wine_get_property;

/* The first line of a file as UTF-16, or -1 when it can't be read. */
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
    return length ? MultiByteToWideChar(CP_UTF8, 0, bytes, length, line, size) : 0;
}

static HRESULT STDMETHODCALLTYPE get_property(IWbemClassObject *object, LPCWSTR name, LONG flags, VARIANT *value,
                                              CIMTYPE *type, LONG *flavor)
{
    WCHAR line[512];
    HRESULT result = wine_get_property(object, name, flags, value, type, flavor);
    BOOL is_user = !lstrcmpiW(name, L"UserName");
    if (FAILED(result) || !value || (!is_user && lstrcmpiW(name, L"LastBootUpTime"))) return result;

    int length = first_line(is_user ? CONSOLE_FILE : BOOT_FILE, line, ARRAYSIZE(line));
    if (length < 0 && !is_user) return result;
    VariantClear(value);
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
    if (!wine_get_property) result = reach_class_object(factory);
    if (SUCCEEDED(result)) result = IClassFactory_QueryInterface(factory, wanted, object);
    IClassFactory_Release(factory);
    return result;
}

HRESULT WINAPI DllCanUnloadNow(void)
{
    return S_FALSE; /* wbemprox's table points here */
}
