/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GetObject("WinNT://./NAME,group") in JScript: the local groups of a PC, which Wine has not.
 *
 * Wine's JScript knows no GetObject, and its ADSI no provider WinNT. This DLL is registered as the engine JScript, hands
 * out Wine's own, and replaces one function of it: before a script's first text the engine reads one that defines
 * GetObject. That asks an object of this DLL, DevicePc.Moniker, which knows local groups and nothing else:
 *
 *   group     Name, ADsPath, Class, Members(), Add(path), Remove(path), IsMember(path)      IADsGroup
 *   member    Name, ADsPath, Class, objectSid, Get("objectSid")                             IADs
 *
 * What the groups hold, and what Windows answers, is the service's to say (device_pc_standin/local_groups.py). Failures
 * leave as HRESULTs of Windows' codes, as ADSI's do. Programs need no branch: they call what they call on Windows.
 */
#define COBJMACROS
#define INITGUID
#include "service.h"
#include <activscp.h>
#include <oleauto.h>
#include <stdio.h>

DEFINE_GUID(CLSID_Moniker, 0x6f1d6f0e, 0x31b2, 0x4c55, 0x9d, 0x5a, 0x0c, 0x55, 0x7f, 0x37, 0x3b, 0x01);

static const WCHAR get_object[] =
    L"function GetObject(name) { return new ActiveXObject(\"DevicePc.Moniker\").Bind(name); }\n";

enum kind { MONIKER, LOCAL_GROUP, MEMBERS, MEMBER };
enum { BIND = 1, NAME, PATH, CLASS, MEMBERS_OF, ADD, REMOVE, IS_MEMBER, GET, OBJECT_SID };
static const struct { enum kind kind; const WCHAR *name; DISPID id; } methods[] = {
    {MONIKER, L"Bind", BIND},
    {LOCAL_GROUP, L"Name", NAME}, {LOCAL_GROUP, L"ADsPath", PATH}, {LOCAL_GROUP, L"Class", CLASS}, {LOCAL_GROUP, L"Members", MEMBERS_OF},
    {LOCAL_GROUP, L"Add", ADD}, {LOCAL_GROUP, L"Remove", REMOVE}, {LOCAL_GROUP, L"IsMember", IS_MEMBER},
    {MEMBER, L"Name", NAME}, {MEMBER, L"ADsPath", PATH}, {MEMBER, L"Class", CLASS}, {MEMBER, L"Get", GET},
    {MEMBER, L"objectSid", OBJECT_SID},
};

/* Of a member, sid is hexadecimal; of members, path is the service's answer: a line each, name, path, class and SID. */
struct object
{
    IDispatch IDispatch_iface;
    IEnumVARIANT IEnumVARIANT_iface;
    LONG references;
    enum kind kind;
    WCHAR *name, *path, *class, *sid, *next;
};

static struct object *made(enum kind kind, const WCHAR *name, const WCHAR *path, const WCHAR *class, const WCHAR *sid);

static struct object *of_dispatch(IDispatch *face)
{
    return CONTAINING_RECORD(face, struct object, IDispatch_iface);
}

static struct object *of_enumerator(IEnumVARIANT *face)
{
    return CONTAINING_RECORD(face, struct object, IEnumVARIANT_iface);
}

static HRESULT query(struct object *this, REFIID wanted, void **face)
{
    *face = NULL;
    if (IsEqualGUID(wanted, &IID_IUnknown) || IsEqualGUID(wanted, &IID_IDispatch)) *face = &this->IDispatch_iface;
    else if (this->kind == MEMBERS && IsEqualGUID(wanted, &IID_IEnumVARIANT)) *face = &this->IEnumVARIANT_iface;
    else return E_NOINTERFACE;
    InterlockedIncrement(&this->references);
    return S_OK;
}

static ULONG release(struct object *this)
{
    ULONG left = InterlockedDecrement(&this->references);
    if (left) return left;
    free(this->name);
    free(this->path);
    free(this->class);
    free(this->sid);
    free(this);
    return 0;
}

static HRESULT STDMETHODCALLTYPE dispatch_query(IDispatch *face, REFIID wanted, void **object)
{
    return query(of_dispatch(face), wanted, object);
}

static ULONG STDMETHODCALLTYPE dispatch_add_ref(IDispatch *face)
{
    return InterlockedIncrement(&of_dispatch(face)->references);
}

static ULONG STDMETHODCALLTYPE dispatch_release(IDispatch *face)
{
    return release(of_dispatch(face));
}

static HRESULT STDMETHODCALLTYPE dispatch_count(IDispatch *face, UINT *count)
{
    (void)face;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE dispatch_type(IDispatch *face, UINT number, LCID language, ITypeInfo **type)
{
    (void)face, (void)number, (void)language;
    *type = NULL;
    return DISP_E_BADINDEX;
}

static HRESULT STDMETHODCALLTYPE dispatch_names(IDispatch *face, REFIID id, LPOLESTR *names, UINT count, LCID language,
                                                DISPID *ids)
{
    (void)id, (void)language;
    for (UINT i = 0; i < count; i++) ids[i] = DISPID_UNKNOWN;
    for (size_t i = 0; count && i < ARRAYSIZE(methods); i++)
        if (methods[i].kind == of_dispatch(face)->kind && !lstrcmpiW(methods[i].name, names[0])) ids[0] = methods[i].id;
    return count == 1 && ids[0] != DISPID_UNKNOWN ? S_OK : DISP_E_UNKNOWNNAME;
}

static void text_result(VARIANT *result, const WCHAR *text)
{
    V_VT(result) = VT_BSTR;
    V_BSTR(result) = SysAllocString(text);
}

static void object_result(VARIANT *result, struct object *object)
{
    V_VT(result) = VT_DISPATCH;
    V_DISPATCH(result) = &object->IDispatch_iface;
}

/* The bytes of objectSid, as ADSI gives them. */
static HRESULT sid_result(VARIANT *result, const WCHAR *hexadecimal)
{
    ULONG size = lstrlenW(hexadecimal) / 2;
    unsigned int byte;
    BYTE *bytes;

    if (!size) return 0x8000500D; /* E_ADS_PROPERTY_NOT_FOUND */
    V_VT(result) = VT_ARRAY | VT_UI1;
    V_ARRAY(result) = SafeArrayCreateVector(VT_UI1, 0, size);
    SafeArrayAccessData(V_ARRAY(result), (void **)&bytes);
    for (ULONG i = 0; i < size; i++)
    {
        swscanf(hexadecimal + 2 * i, L"%2x", &byte);
        bytes[i] = byte;
    }
    SafeArrayUnaccessData(V_ARRAY(result));
    return S_OK;
}

static DWORD ask(const WCHAR *verb, const WCHAR *group, const WCHAR *path, WCHAR **text)
{
    WCHAR line[2048];

    *text = NULL;
    /* A quotation mark would end the word; no name of Windows has one. */
    if (wcschr(group, '"') || wcschr(path, '"') || lstrlenW(group) + lstrlenW(path) > 1900) return ERROR_INVALID_NAME;
    _snwprintf(line, ARRAYSIZE(line), L"adsi %ls \"%ls\" \"%ls\"", verb, group, path);
    return service_ask(line, text);
}

static HRESULT bound(const WCHAR *name, VARIANT *result)
{
    static const WCHAR start[] = L"WinNT://./", end[] = L",group";
    size_t length = lstrlenW(name), head = ARRAYSIZE(start) - 1, tail = ARRAYSIZE(end) - 1;
    WCHAR group[256], path[300], *text;
    DWORD code;

    if (length <= head + tail || length - head - tail >= ARRAYSIZE(group) || _wcsnicmp(name, start, head)
        || _wcsicmp(name + length - tail, end))
        return MK_E_SYNTAX;
    lstrcpynW(group, name + head, (int)(length - head - tail + 1));
    if ((code = ask(L"members", group, L"", &text))) return HRESULT_FROM_WIN32(code);
    free(text);
    _snwprintf(path, ARRAYSIZE(path), L"WinNT://./%ls", group);
    object_result(result, made(LOCAL_GROUP, group, path, L"Group", L""));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE dispatch_invoke(IDispatch *face, DISPID id, REFIID none, LCID language, WORD flags,
                                                 DISPPARAMS *given, VARIANT *result, EXCEPINFO *exception, UINT *wrong)
{
    struct object *this = of_dispatch(face);
    const WCHAR *word = L"";
    VARIANT ignored;
    WCHAR *text;
    DWORD code;

    (void)none, (void)language, (void)flags, (void)exception, (void)wrong;
    if (!result) result = &ignored;
    VariantInit(result);
    if (given->cArgs)
    {
        if (V_VT(&given->rgvarg[0]) != VT_BSTR) return DISP_E_TYPEMISMATCH;
        word = V_BSTR(&given->rgvarg[0]);
    }
    if (this->kind == MEMBERS && id == DISPID_NEWENUM)
    {
        V_VT(result) = VT_UNKNOWN;
        V_UNKNOWN(result) = (IUnknown *)&made(MEMBERS, L"", this->path, L"", L"")->IEnumVARIANT_iface;
        return S_OK;
    }
    switch (id)
    {
    case BIND: return bound(word, result);
    case NAME: text_result(result, this->name); return S_OK;
    case PATH: text_result(result, this->path); return S_OK;
    case CLASS: text_result(result, this->class); return S_OK;
    case OBJECT_SID: return sid_result(result, this->sid);
    case GET: return lstrcmpiW(word, L"objectSid") ? (HRESULT)0x8000500D : sid_result(result, this->sid);
    case MEMBERS_OF:
        if ((code = ask(L"members", this->name, L"", &text))) return HRESULT_FROM_WIN32(code);
        object_result(result, made(MEMBERS, L"", text ? text : L"", L"", L""));
        free(text);
        return S_OK;
    case ADD:
    case REMOVE:
    case IS_MEMBER:
        code = ask(id == ADD ? L"add" : id == REMOVE ? L"remove" : L"is-member", this->name, word, &text);
        if (!code && id == IS_MEMBER)
        {
            V_VT(result) = VT_BOOL;
            V_BOOL(result) = text && text[0] == 'y' ? VARIANT_TRUE : VARIANT_FALSE;
        }
        free(text);
        return code ? HRESULT_FROM_WIN32(code) : S_OK;
    default: return DISP_E_MEMBERNOTFOUND;
    }
}

static IDispatchVtbl dispatch = {dispatch_query, dispatch_add_ref, dispatch_release, dispatch_count, dispatch_type,
                                 dispatch_names, dispatch_invoke};

static HRESULT STDMETHODCALLTYPE enumerator_query(IEnumVARIANT *face, REFIID wanted, void **object)
{
    return query(of_enumerator(face), IsEqualGUID(wanted, &IID_IUnknown) ? &IID_IEnumVARIANT : wanted, object);
}

static ULONG STDMETHODCALLTYPE enumerator_add_ref(IEnumVARIANT *face)
{
    return InterlockedIncrement(&of_enumerator(face)->references);
}

static ULONG STDMETHODCALLTYPE enumerator_release(IEnumVARIANT *face)
{
    return release(of_enumerator(face));
}

/* The next column of a line, ended in place. */
static WCHAR *column(WCHAR **at)
{
    WCHAR *begin = *at;
    while (**at && **at != '\t' && **at != '\n') ++*at;
    if (**at) *(*at)++ = 0;
    return begin;
}

static HRESULT STDMETHODCALLTYPE enumerator_next(IEnumVARIANT *face, ULONG count, VARIANT *values, ULONG *got)
{
    struct object *this = of_enumerator(face);
    WCHAR *name, *path, *class;
    ULONG done = 0;

    for (; done < count && *this->next; done++)
    {
        name = column(&this->next);
        path = column(&this->next);
        class = column(&this->next);
        VariantInit(&values[done]);
        object_result(&values[done], made(MEMBER, name, path, class, column(&this->next)));
    }
    if (got) *got = done;
    return done == count ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE enumerator_skip(IEnumVARIANT *face, ULONG count)
{
    (void)face, (void)count;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE enumerator_reset(IEnumVARIANT *face)
{
    /* Scripts ask for it before the first; afterwards the lines are cut. */
    return of_enumerator(face)->next == of_enumerator(face)->path ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE enumerator_clone(IEnumVARIANT *face, IEnumVARIANT **copy)
{
    (void)face;
    *copy = NULL;
    return E_NOTIMPL;
}

static IEnumVARIANTVtbl enumerator = {enumerator_query, enumerator_add_ref, enumerator_release, enumerator_next,
                                      enumerator_skip, enumerator_reset, enumerator_clone};

static struct object *made(enum kind kind, const WCHAR *name, const WCHAR *path, const WCHAR *class, const WCHAR *sid)
{
    struct object *object = calloc(1, sizeof(*object));
    object->IDispatch_iface.lpVtbl = &dispatch;
    object->IEnumVARIANT_iface.lpVtbl = &enumerator;
    object->references = 1;
    object->kind = kind;
    object->name = _wcsdup(name);
    object->path = _wcsdup(path);
    object->class = _wcsdup(class);
    object->sid = _wcsdup(sid);
    object->next = object->path;
    return object;
}

static HRESULT STDMETHODCALLTYPE factory_query(IClassFactory *face, REFIID wanted, void **object)
{
    *object = IsEqualGUID(wanted, &IID_IUnknown) || IsEqualGUID(wanted, &IID_IClassFactory) ? face : NULL;
    return *object ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE factory_count(IClassFactory *face)
{
    (void)face;
    return 2;
}

static HRESULT STDMETHODCALLTYPE factory_create(IClassFactory *face, IUnknown *outer, REFIID wanted, void **object)
{
    struct object *moniker = made(MONIKER, L"", L"", L"", L"");
    HRESULT result = outer ? CLASS_E_NOAGGREGATION : query(moniker, wanted, object);
    (void)face;
    release(moniker);
    return result;
}

static HRESULT STDMETHODCALLTYPE factory_lock(IClassFactory *face, BOOL lock)
{
    (void)face, (void)lock;
    return S_OK;
}

static IClassFactoryVtbl factory_table = {factory_query, factory_count, factory_count, factory_create, factory_lock};
static IClassFactory factory = {&factory_table};

typedef HRESULT (WINAPI *get_class_object_t)(REFCLSID, REFIID, void **);
typedef HRESULT (STDMETHODCALLTYPE *parse_t)(IActiveScriptParse *, LPCOLESTR, LPCOLESTR, IUnknown *, LPCOLESTR,
                                             DWORDLONG, ULONG, DWORD, VARIANT *, EXCEPINFO *);
static parse_t wine_parse;

static HRESULT STDMETHODCALLTYPE parse(IActiveScriptParse *engine, LPCOLESTR code, LPCOLESTR item, IUnknown *context,
                                       LPCOLESTR delimiter, DWORDLONG cookie, ULONG line, DWORD flags, VARIANT *result,
                                       EXCEPINFO *exception)
{
    wine_parse(engine, get_object, NULL, NULL, NULL, 0, 0, SCRIPTTEXT_ISVISIBLE, NULL, NULL);
    return wine_parse(engine, code, item, context, delimiter, cookie, line, flags, result, exception);
}

/* Put our function into the table that all of Wine's JScript engines share. */
static HRESULT take_over(IClassFactory *engines)
{
    IActiveScriptParse *engine;
    HRESULT result = IClassFactory_CreateInstance(engines, NULL, &IID_IActiveScriptParse, (void **)&engine);
    parse_t *slot;
    DWORD before;

    if (FAILED(result)) return result;
    slot = (parse_t *)&engine->lpVtbl->ParseScriptText;
    wine_parse = *slot;
    VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before);
    *slot = parse;
    VirtualProtect(slot, sizeof(*slot), before, &before);
    IActiveScriptParse64_Release(engine);
    return S_OK;
}

HRESULT WINAPI DllGetClassObject(REFCLSID class, REFIID wanted, void **object)
{
    HMODULE jscript = LoadLibraryW(L"jscript.dll");
    IClassFactory *engines;
    HRESULT result;
    get_class_object_t get_class_object =
        jscript ? (get_class_object_t)(void *)GetProcAddress(jscript, "DllGetClassObject") : NULL;

    if (IsEqualGUID(class, &CLSID_Moniker)) return factory_query(&factory, wanted, object);
    if (!get_class_object) return CLASS_E_CLASSNOTAVAILABLE;
    result = get_class_object(class, &IID_IClassFactory, (void **)&engines);
    if (FAILED(result)) return result;
    if (!wine_parse) result = take_over(engines);
    if (SUCCEEDED(result)) result = IClassFactory_QueryInterface(engines, wanted, object);
    IClassFactory_Release(engines);
    return result;
}

HRESULT WINAPI DllCanUnloadNow(void)
{
    return S_FALSE; /* JScript's table points here */
}
