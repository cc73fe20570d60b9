# One library per module; its name is its folder; what it may link is what it may include.
add_library(belfry_flags INTERFACE)
target_compile_features(belfry_flags INTERFACE cxx_std_20)
target_compile_options(belfry_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wsuggest-override -Wimplicit-fallthrough -Wformat=2 -Wcast-align
  $<$<BOOL:${BELFRY_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond;-Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(BELFRY_SANITIZE)
  target_compile_options(belfry_flags INTERFACE
    -fsanitize=${BELFRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(belfry_flags INTERFACE -fsanitize=${BELFRY_SANITIZE})
endif()
if(BELFRY_FUZZ)
  target_compile_options(belfry_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BELFRY_HOSTILE)
  target_compile_definitions(belfry_flags INTERFACE BELFRY_HOSTILE=1)
endif()

# belfry_module(correlate DEPS model rules LIBS absl::flat_hash_map [PCH <asio.hpp>])
#   DEPS  our modules whose faces this one's face or code uses (lower floors only)
#   LIBS  third-party targets, private to the module
#   PCH   headers worth precompiling (the edges: Asio)
#   LABELS  of its tests: `threads` (run under tsan), `slow`
# Makes belfry::NAME, NAME_test from *_test.cpp, NAME_linktest (links with its declared floors only),
# and NAME_fuzz_X from *_fuzz.cpp: a libFuzzer target under BELFRY_FUZZ, else a corpus replayer test.
function(belfry_module name)
  cmake_parse_arguments(a "" "" "DEPS;LIBS;PCH;LABELS" ${ARGN})
  file(GLOB_RECURSE src CONFIGURE_DEPENDS *.cpp)
  list(FILTER src EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  file(GLOB_RECURSE pub CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/belfry/${name}/*.hpp)
  add_library(belfry_${name} STATIC ${src})
  add_library(belfry::${name} ALIAS belfry_${name})
  target_sources(belfry_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${pub})
  set_target_properties(belfry_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(belfry_${name} PUBLIC cxx_std_20)
  list(TRANSFORM a_DEPS PREPEND belfry::)
  target_link_libraries(belfry_${name} PUBLIC ${a_DEPS} PRIVATE ${a_LIBS} belfry_flags)
  if(a_PCH)
    target_precompile_headers(belfry_${name} PRIVATE ${a_PCH})
  endif()
  if(BUILD_TESTING)
    file(GLOB_RECURSE tst CONFIGURE_DEPENDS *_test.cpp)
    if(tst)
      add_executable(${name}_test ${tst})  # links only its own floor and below: an upward call does not link
      target_link_libraries(${name}_test PRIVATE belfry::${name} ${a_LIBS} belfry_flags GTest::gtest_main GTest::gmock)
      target_compile_definitions(${name}_test PRIVATE BELFRY_ROOT="${PROJECT_SOURCE_DIR}")
      if(a_LABELS)
        set(labels PROPERTIES LABELS "${a_LABELS}")
      endif()
      gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 ${labels})
    endif()
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/link_main.cpp "int main() {}\n")
    add_executable(${name}_linktest ${CMAKE_CURRENT_BINARY_DIR}/link_main.cpp)
    target_link_libraries(${name}_linktest PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,belfry_${name}> belfry_flags)
    file(GLOB_RECURSE fuzz CONFIGURE_DEPENDS *_fuzz.cpp)
    foreach(target_source ${fuzz})
      get_filename_component(stem ${target_source} NAME_WE)
      set(target ${name}_${stem})
      if(BELFRY_FUZZ)
        add_executable(${target} ${target_source})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        # By ctest a short run; for a long one call the target with a corpus folder of your own.
        set(dictionary)
        if(stem MATCHES "^(bell|format|matcher)_fuzz$")
          set(dictionary -dict=${PROJECT_SOURCE_DIR}/tests/fuzz/bell.dict)
        endif()
        file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${stem}_found)
        add_test(NAME fuzz.${target} COMMAND ${target} -runs=20000 ${dictionary}
          ${CMAKE_CURRENT_BINARY_DIR}/${stem}_found ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${stem})
        set_tests_properties(fuzz.${target} PROPERTIES LABELS fuzz)
      else()
        add_executable(${target} ${target_source} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
        add_test(NAME fuzz.${target} COMMAND ${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${stem})
        set_tests_properties(fuzz.${target} PROPERTIES LABELS fuzz)
      endif()
      target_link_libraries(${target} PRIVATE belfry::${name} ${a_LIBS} belfry_flags)
    endforeach()
  endif()
endfunction()
