"""Hostile scripts, each with how it has to end: part of the reason for a refusal, or the exact result.

A script has the global ``obj`` of the custom shape, and what it returns is taken as it is.
"""

# A refusal of any wording: what matters is that there is one, in time.
REFUSED = ""

NO_SYSTEM = {
    "os.execute": ('os.execute("touch pwned") return {a=1}', "global 'os'"),
    "os.exit": ("os.exit(0)", "global 'os'"),
    "os.getenv": ('return {h=os.getenv("HOME")}', "global 'os'"),
    "os.remove": ('os.remove("pwned")', "global 'os'"),
    "io.open": ('return {s=io.open("/etc/passwd"):read("*a")}', "global 'io'"),
    "io.open to write": ('io.open("pwned", "w"):write("x")', "global 'io'"),
    "io.popen": ('return {s=io.popen("id"):read("*a")}', "global 'io'"),
    "io.write": ('io.write("garbage")', "global 'io'"),
    "print": ('print("garbage") return {a=1}', "global 'print'"),
    "python.eval": ('return {x=python.eval("1")}', "global 'python'"),
    "python.builtins": ('return {x=python.builtins.open("/etc/passwd").read()}', "global 'python'"),
    "python is gone": ("local o={} for k in pairs(python) do o[#o+1]=k end return o", "table expected"),
    "package.loadlib": ('return {f=package.loadlib("libc.so.6","system")}', "global 'package'"),
    "package.loaded": ("return {f=package.loaded.os.execute('id')}", "global 'package'"),
    "require": ('return {x=require("os").execute}', "global 'require'"),
    "dofile": ('dofile("/etc/passwd") return {a=1}', "global 'dofile'"),
    "loadfile": ('return {e=loadfile("/etc/hostname")}', "global 'loadfile'"),
    "loadstring": ('return {x=loadstring("return 1")()}', "global 'loadstring'"),
    "load": ('load(function() return "x=1 " end) return {a=1}', "global 'load'"),
    "module": ('module("x", package.seeall)', REFUSED),
    "string.dump": ("local f=loadstring(string.dump(function() return 42 end)) return {x=f()}", "'dump'"),
    "a binary chunk": ("\x1bLuaQ\x00\x01\x04\x08\x04\x08\x00" + "\x7f" * 200, "compiled Lua"),
    "debug.getregistry": ("local r=debug.getregistry() return {x=r._LOADED.os}", "global 'debug'"),
    "debug.sethook": ("debug.sethook() while true do end", "global 'debug'"),
    "getfenv": ("return {x=getfenv(0).os}", "global 'getfenv'"),
    "os.date through getfenv": ("return {x=getfenv(pairs).os.date()}", "global 'getfenv'"),
    "setfenv": ("setfenv(0,{}) return {a=1}", "global 'setfenv'"),
    "coroutine": ("coroutine.wrap(function() while true do end end)() return {}", "global 'coroutine'"),
    "coroutine in pcall": (
        "while true do local c=coroutine.create(function() while true do end end) pcall(coroutine.resume,c) end",
        "global 'coroutine'",
    ),
    "xpcall": ('xpcall(function() error("x") end,function() while true do end end) return {}', "global 'xpcall'"),
    "newproxy": (
        "local p=newproxy(true) getmetatable(p).__gc=function() while true do end end p=nil return {a=1}",
        "global 'newproxy'",
    ),
    "collectgarbage": ('collectgarbage("stop") local t for i=1,1e9 do t={t and 1} end return {a=1}', "collectgarbage"),
    "ffi": ('local ffi=require("ffi") return {x=ffi.C.getpid()}', "global 'require'"),
    "jit": ("return {x=tostring(jit and jit.on)}", {"x": "nil"}),
    "math.random": ("return {x=math.random()}", "'random'"),
    "the metatable of texts": ('return {x=getmetatable("").__index.dump}', REFUSED),
    "a new metatable for texts": ('setmetatable("", {__index=function() return 1 end}) return {}', "table expected"),
    "_G is the room": (
        "local o={} for k in pairs(_G) do o[k]=true end return {os=o.os,io=o.io,pairs=o.pairs}",
        {"pairs": True},
    ),
    "use is for ours": ('return use("ingress")', "global 'use'"),
}

POISON = {
    "poisoned text functions": (
        'local f=function() return "EVIL" end string.format=f string.gsub=f table.concat=f math.floor=f return {a=20}',
        {"a": 20},
    ),
    "poisoned next, pairs, type": (
        'next=nil pairs=nil type=function() return "x" end error=nil return {a=20}',
        {"a": 20},
    ),
    "poisoned json": ('json.encode=nil json=nil copy=nil fail=nil return {a="x"}', {"a": "x"}),
    "poisoned tostring": ('tostring=function() return "EVIL" end return {a=obj.canaryWeight}', {"a": 5}),
    "__gc of a table": ("setmetatable({},{__gc=function() while true do end end}) return {a=1}", {"a": 1}),
    "__index on the result": (
        "local f=function() while true do end end return setmetatable({a=1},{__index=f,__len=f,__pairs=f})",
        {"a": 1},
    ),
    "__metatable on the result": ('return setmetatable({a=1},{__metatable="locked"})', {"a": 1}),
    "__tostring in the result": (
        "return {a=setmetatable({b=1},{__tostring=function() return '\"' end})}",
        {"a": {"b": 1}},
    ),
    "__index on _G": ("setmetatable(_G,{__index=function() while true do end end}) return {a=1}", {"a": 1}),
    "__newindex on _G": (
        "setmetatable(_G,{__newindex=function() while true do end end}) x=1 return {a=1}",
        "instructions",
    ),
    "__index on obj": (
        "setmetatable(obj,{__index=function() while true do end end}) return {a=obj.nothing}",
        "instructions",
    ),
}

LOOPS = {
    "while true": ("while true do end", "line 1: used more than"),
    "for 1e18": ("for i=1,1e18 do end return {}", "instructions"),
    "pcall in a loop": ("while true do pcall(function() while true do end end) end", "instructions"),
    "sort for ever": (
        "local t={} for i=1,1e5 do t[i]=i end while true do table.sort(t,function(a,b) return a<b end) end",
        "instructions",
    ),
    "pcall of pcall": ("local function f() pcall(f) pcall(f) end f() return {}", REFUSED),
    "exponential pcall": (
        "local function f(n) if n==0 then return end pcall(f,n-1) pcall(f,n-1) end f(60) return {}",
        "instructions",
    ),
    "loop in a gsub callback": (
        '("x"):rep(1e6):gsub(".",function() for i=1,1e6 do end end) return {}',
        "instructions",
    ),
    "gsub callbacks that pcall": (
        'while true do pcall(string.gsub,("x"):rep(1e5),".",function() return ("y"):rep(9) end) end',
        REFUSED,
    ),
    "loop in a metamethod": (
        "local m={} m.__add=function(a) while true do a=a+1 end end return {x=setmetatable({},m)+1}",
        REFUSED,
    ),
    "error with a looping __tostring": (
        "error(setmetatable({},{__tostring=function() while true do end end}))",
        "raised a table",
    ),
    "__eq and __lt for ever": (
        "local m={__lt=function() while true do end end} local t=setmetatable({},m) return {x=t<setmetatable({},m)}",
        "instructions",
    ),
    "__concat for ever": (
        'return {x=setmetatable({},{__concat=function() while true do end end}).."a"}',
        "instructions",
    ),
    "sorted pairs for ever": ("while true do for k in pairs({b=1,a=2}) do end end", "instructions"),
    "next for ever": ("while next({1}) do end", "instructions"),
    "copy for ever": ("local t={} for i=1,1e4 do t[i]=i end while true do copy(t) end", REFUSED),
}

# C code that no instruction hook sees: only the clock, or the end of the stack, ends it.
PATTERNS = {
    "catastrophic pattern": (
        'local s=string.rep("a",3000) return {x=string.find(s,string.rep("a-",30).."b")}',
        "ran longer than",
    ),
    "catastrophic .-": ('local s=string.rep("a",100000) return {x=string.find(s,".-.-.-.-.-b")}', "ran longer than"),
    "catastrophic %b": ('local s=("("):rep(200000) return {x=s:find("%b()%b()")}', REFUSED),
    "catastrophic %f": ('local s=("a"):rep(100000) return {x=s:find("%f[a].-.-.-.-%f[b]")}', "ran longer than"),
    "catastrophic gmatch": ('for w in ("a"):rep(1e5):gmatch(".-.-.-b") do end return {}', "ran longer than"),
    "recursion in C": (
        'local n=2000000 return {x=string.find(string.rep("x",n),string.rep("x?",n))}',
        "died (signal 11)",
    ),
    "captures": ('local s=string.rep("x",3e6) return {x=string.find(s,string.rep("(x)",31)..".-%1y")}', REFUSED),
    "too many captures": ('return {x=("x"):find(("()"):rep(40))}', "too many captures"),
    "unfinished pattern": ('return {x=("x"):find("%")}', "malformed pattern"),
    "unfinished %b": ('return {x=("x"):find("%b")}', REFUSED),
    "unfinished %f": ('return {x=("x"):find("%f")}', "missing '['"),
    "unfinished set": ('return {x=("x"):find("[" .. ("a"):rep(1e6))}', "malformed pattern"),
}

MEMORY = {
    "string.rep 4e9": ('local s=string.rep("x",4e9) return {n=#s}', "longer than 16 MB"),
    "string.rep of nothing": ('local s=string.rep("",1e15) return {n=#s}', {"n": 0}),
    "string.rep of a negative": ('return {n=#string.rep("x",-1e15)}', {"n": 0}),
    "string.rep of NaN": ('return {n=#string.rep("x",0/0)}', {"n": 0}),
    "rep as a method": ('local s=("x"):rep(4e9) return {n=#s}', "longer than 16 MB"),
    "rep of a number": ("local s=string.rep(1234567,4e9) return {n=#s}", "longer than 16 MB"),
    "doubling": ('local s="x" while true do s=s..s end', "more than 64 MB of memory"),
    "doubling in pcall": ('local s="x" while true do pcall(function() s=s..s end) end', REFUSED),
    "tables": ("local t={} while true do t[#t+1]={} end", "more than 64 MB of memory"),
    "table.concat": (
        'local s=string.rep("x",1e6) local t={} for i=1,1e5 do t[i]=s end return {n=#table.concat(t)}',
        "more than 64 MB of memory",
    ),
    "gsub": (
        'local s="x" for i=1,60 do s=s:gsub(".","%0%0%0%0%0%0%0%0") end return {n=#s}',
        "more than 64 MB of memory",
    ),
    "format width": ('return {n=#string.format("%99.99f",1e308)}', {"n": 409}),
    "format too wide": ('return {n=#string.format("%999d",1)}', "invalid format"),
    "format of a table": (
        'return {n=string.format("%s",setmetatable({},{__tostring=function() return "x" end}))}',
        REFUSED,
    ),
    "format %n": ('return {n=string.format("%n",1)}', "invalid option"),
    "format %q of much": ('return {n=#string.format("%q",("\\0"):rep(1e6))}', {"n": 4000002}),
    "big result": ('local t={} for i=1,200 do t[i]=("x"):rep(100000) end return t', "returned more than 16 MB"),
    "one text of 20 MB": ('return {a=("x"):rep(1e7)..("x"):rep(1e7)}', " MB"),
    "result of escapes": ('return {a=("\\1"):rep(5e6)}', REFUSED),
    "result shared 2^60 times": ("local t={} for i=1,60 do t={t,t} end return t", REFUSED),
    "unpack 1e8": ('return {x=select("#",unpack({},1,1e8))}', "too many results"),
    "insert far away": ("local t={} table.insert(t,1e9,1) return {n=#t}", {"n": 0}),
    "concat far": ('return {x=table.concat({},"",1,2^31)}', {"x": ""}),
    "json.decode of a bomb": ('return {x=json.decode(("["):rep(1e6))}', {}),
    "json.encode of a bomb": ("local t={} for i=1,60 do t={t,t} end return {x=json.encode(t)}", REFUSED),
}

STACK = {
    "recursion": ("local function f() return 1+f() end return {x=f()}", "stack overflow"),
    "recursion through __index": (
        "local t t=setmetatable({},{__index=function(_,k) return t[k..1] end}) return {x=t.a}",
        REFUSED,
    ),
    "a chain of __index tables": (
        "local t={} for i=1,1e5 do t=setmetatable({},{__index=t}) end return {x=t.a}",
        "loop in gettable",
    ),
    "__index of itself": ("local t={} setmetatable(t,t) t.__index=t return {x=t.a}", REFUSED),
    "recursion through sort": (
        "local function f() table.sort({2,1},function() f() return true end) end f() return {}",
        REFUSED,
    ),
    "recursion through gsub": ('local function f() ("x"):gsub("x",f) end f() return {}', REFUSED),
    "recursion through tostring": (
        "local m={} m.__tostring=function(t) return tostring(t) end return {x=tostring(setmetatable({},m))}",
        REFUSED,
    ),
    "parentheses": ("return " + "(" * 100_000 + "1" + ")" * 100_000, REFUSED),
    "300 locals": ("\n".join(f"local a{i}=1" for i in range(300)) + " return {}", "more than 200 local"),
    "a source of 5 MB": ("local t={" + "{}," * 1_500_000 + "} return {n=#t}", REFUSED),
    "copy of a cycle": ("local t={} t.t=t return copy(t)", "stack overflow"),
}

RESULTS = {
    "no result": ("x=1", "returned nothing"),
    "a text": ('return "x"', "returned a string"),
    "a number": ("return 1", "returned a number"),
    "a function": ("return function() end", "returned a function"),
    "two results": ("return {a=1},{b=2}", {"a": 1}),
    "a sparse list": ("local t={} t[1e9]=1 return t", "a list with holes"),
    "a cycle": ("local t={} t.t=t return t", "contains itself"),
    "a shared table": ("local s={a=1} return {x=s,y=s}", {"x": {"a": 1}, "y": {"a": 1}}),
    "1e6 deep": ("local t={} local r=t for i=1,1e6 do t.x={} t=t.x end return r", REFUSED),
    "1e4 deep": ("local t={} local r=t for i=1,1e4 do t.x={} t=t.x end return r", "nested deeper than 210"),
    "NaN": ("return {a=0/0}", "not finite (at a)"),
    "infinity": ("return {a={1/0}}", "not finite (at a.0)"),
    "not UTF-8": ('return {a="\\255\\254"}', "not UTF-8"),
    "names that are not UTF-8": ('return {["\\255"]=1}', "not UTF-8"),
    "a lone surrogate": ('return {a="\\237\\160\\128"}', "not UTF-8"),
    "NUL in names": ('return {["a\\0b"]="c\\0d"}', {"a\0b": "c\0d"}),
    "a function inside": ("return {a=function() end}", "a function is not data (at a)"),
    "list and map": ("return {1,2,a=3}", "both a list and a map"),
    "a table as key": ("return {[{}]=1}", "neither a name nor a place"),
    "a boolean as key": ("return {[true]=1}", "neither a name nor a place"),
    "a fraction as key": ("return {[1.5]=1}", "neither a name nor a place"),
    "place 0": ("return {[0]=1}", "neither a name nor a place"),
    "well behaved": ("obj.data.spec.a=2 return obj.data", {"spec": {"a": 2}, "labels": {}}),
}

MESSAGES = {
    "an error that is a table": ("error({code=1})", "raised a table"),
    "an error that is a cycle": ("local e={} e.e=e error(e)", "raised a table"),
    "an error that is nil": ("error()", "raised a nil"),
    "an error that is a number": ("error(42)", "42"),
    "an error that is a function": ("error(function() end)", "raised a function"),
    "an endless message": ('error(("x"):rep(1e7))', "xxx…"),
    "a message of control characters": ('error("\\27[2J\\r\\n\\0\\7bell")', " [2J    bell"),
    "a message that is not UTF-8": ('error("\\255\\254")', "��"),
    "a message that claims another line": ('error("script:99: not me",0)', "line 99: not me"),
    "fail with tables": ("fail({},{})", "takes the path of a field and a message"),
    "fail with lines": ('fail("a\\nb","c\\nd")', "c d"),
    "sort with a bad order": (
        "local t={} for i=1,100 do t[i]=i%7 end table.sort(t,function() return true end) return {}",
        "invalid order function",
    ),
    "keys without an order": ("for k in pairs({[{}]=1,[{}]=2}) do end return {}", "have no order"),
    "calling a text": ('return ("x")()', "attempt to call a string value"),
    "not Lua at all": ("{{ .Values.script }}", "unexpected symbol"),
    "a shebang": ("#!/usr/bin/lua\nreturn {}", REFUSED),
    "an unfinished string": ('return {a="', "unfinished string"),
}

ATTACKS = NO_SYSTEM | POISON | LOOPS | PATTERNS | MEMORY | STACK | RESULTS | MESSAGES
