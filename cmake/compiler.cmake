# The flags every target of ours gets, as one interface library.
add_library(plumbline_options INTERFACE)
target_compile_options(plumbline_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  # At -O2 GCC 12 takes the unused alternatives of a std::variant for read when it is destroyed.
  target_compile_options(plumbline_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What one source calls its own hides in the next. In the program the lint looks for that.
  target_compile_options(plumbline_options INTERFACE -Wno-shadow)
endif()
if(PLUMBLINE_WERROR)
  target_compile_options(plumbline_options INTERFACE -Werror)
endif()
if(PLUMBLINE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Not PIE: the sanitizers leave two million places to relocate, at the start of each of as many
  # processes as there are tests.
  add_link_options(-fsanitize=address,undefined -no-pie)
endif()
if(PLUMBLINE_SANITIZE STREQUAL "TRAP")
  # What UBSan would say is data, and GCC lets ASan guard each piece of it: 280 000 globals, which
  # every process registers before main(). A trap has none: it is SIGILL, of which ASan shows the
  # stack where it is asked to.
  target_sources(plumbline_options INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_SOURCE_DIR}/tests/support/trap/stack.cpp>)
  add_compile_options(-fsanitize-undefined-trap-on-error)
  add_link_options(-fsanitize-undefined-trap-on-error)
endif()
if(PLUMBLINE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
