// What ada needs of libc++ beyond its headers. In zig's own library these functions throw exceptions, for which the linker adds
// the unwinder, the demangler and their tables: 0.2 MB. Memory that runs out ends the process by SIGABRT, as an exception would.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

namespace {
void *allocated(std::size_t size) {
  void *const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

template <typename Number>
std::string decimal(const char *format, Number number) {
  char text[24];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, format, number))};
}
}  // namespace

void *operator new(std::size_t size) { return allocated(size); }
void *operator new[](std::size_t size) { return allocated(size); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return std::malloc(size); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept { return std::malloc(size); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { std::abort(); }

namespace std {
const nothrow_t nothrow{};

inline namespace __1 {
void __libcpp_verbose_abort(const char *, ...) noexcept { abort(); }

// The header only declares these.
template class basic_string<char>;
template string operator+ <char, char_traits<char>, allocator<char>>(const char *, const string &);

string to_string(int number) { return decimal("%d", number); }
string to_string(unsigned number) { return decimal("%u", number); }
string to_string(unsigned long number) { return decimal("%lu", number); }
}  // namespace __1
}  // namespace std
