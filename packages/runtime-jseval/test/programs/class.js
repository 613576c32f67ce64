class MyClass {
  hello() {
    console.log('Hello from MyClass')
  }
}

new MyClass().hello()
