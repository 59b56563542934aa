# The build types, of the addon and of its tests.

# The release addon keeps its frame information (for perf and valgrind) but no other debug data.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "" FORCE)

# A build type of its own, so that CMake's defaults for Debug or Release stay out of it.
# vptr and function need the type information that -fno-rtti leaves out.
set(SANITIZERS "-fsanitize=address,undefined -fno-sanitize=vptr")
set(CMAKE_CXX_FLAGS_SANITIZE "${SANITIZERS} -fno-omit-frame-pointer -O1 -g" CACHE STRING "" FORCE)
set(CMAKE_MODULE_LINKER_FLAGS_SANITIZE "${SANITIZERS}" CACHE STRING "" FORCE)
set(CMAKE_EXE_LINKER_FLAGS_SANITIZE "${SANITIZERS}" CACHE STRING "" FORCE)
