/** Sends the page's form, which the button does where no script runs. */
document.querySelector('#form-onward').requestSubmit()
